"""The same file read the usual way: `by_hand.py csv|pandas FILE STORES DATABASE`.

Checks what the mapping checks (store known, sku there, quantity an integer, date a date, no repeats), sums per store, then writes
the levels into SQLite with the durability of the gateway. Prints one JSON object; importing libraries is not timed.
"""

import csv
import datetime
import json
import re
import resource
import sqlite3
import sys
import time

NUMBER = re.compile(r"-?[0-9]+\Z")


def known_stores(path):
    with open(path, encoding="utf-8", newline="") as file:
        return {row["code"] for row in csv.DictReader(file)}


def plain(path, stores):
    good, rejects, seen = [], [], set()
    with open(path, encoding="gbk", newline="") as file:
        for line, row in enumerate(csv.DictReader(file), start=2):
            store, sku, quantity, date = row["门店"], row["货号"], row["数量"], row["日期"]
            fault = None
            if store not in stores:
                fault = "unknown_store"
            elif not sku:
                fault = "missing"
            elif not NUMBER.match(quantity):
                fault = "bad_number"
            elif (store, sku) in seen:
                fault = "duplicate"
            else:
                try:
                    day = datetime.date.fromisoformat(date)
                except ValueError:
                    fault = "bad_date"
            if fault:
                rejects.append((line, fault))
                continue
            seen.add((store, sku))
            good.append((store, sku, int(quantity), str(day)))
    sums = {}
    for store, _, quantity, _ in good:
        sums[store] = sums.get(store, 0) + quantity
    return good, len(good), len(rejects)


def with_pandas(path, stores):
    import pandas

    table = pandas.read_csv(path, encoding="gbk", dtype=str, keep_default_na=False)
    quantity = pandas.to_numeric(table["数量"], errors="coerce")
    day = pandas.to_datetime(table["日期"], format="%Y-%m-%d", errors="coerce")
    good = table["门店"].isin(stores) & (table["货号"] != "") & quantity.notna() & (quantity % 1 == 0) & day.notna()
    good &= ~table.duplicated(["门店", "货号"], keep=False)
    kept = table[good]
    numbers = quantity[good].astype("int64")
    numbers.groupby(kept["门店"]).sum()
    rows = zip(kept["门店"], kept["货号"], numbers.tolist(), kept["日期"])
    return rows, int(good.sum()), int((~good).sum())


def store_levels(database, rows):
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(
        "CREATE TABLE levels (store TEXT, sku TEXT, on_hand INTEGER, as_of TEXT, PRIMARY KEY (store, sku)) WITHOUT ROWID"
    )
    with connection:
        connection.executemany(
            "INSERT INTO levels VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET on_hand = excluded.on_hand, as_of = excluded.as_of",
            rows,
        )
    connection.close()


def main():
    way, path, stores, database = sys.argv[1:]
    if way == "pandas":
        import pandas

        version = pandas.__version__
    else:
        version = sys.version.split()[0]
    known = known_stores(stores)
    begun = time.perf_counter_ns()
    rows, good, rejects = (with_pandas if way == "pandas" else plain)(path, known)
    read = time.perf_counter_ns() - begun
    store_levels(database, rows)
    whole = time.perf_counter_ns() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        json.dumps(
            {"rows": good, "rejects": rejects, "read_nanos": read, "whole_nanos": whole, "peak_kib": peak, "version": version}
        )
    )


main()
