//! Whether rows fit together: a delivery with its facts, a fact with its family, a family with its entities.

use super::Depth;
use super::database::Database;
use anyhow::Result;
use sqlx::Row as _;

/// A question whose answer must be empty, and what it means if it is not. `?1` is the last row that was looked at.
struct Rule {
    /// Whether `?1` is of the inbox; else of the observations.
    inbox: bool,
    means: &'static str,
    sql: &'static str,
}

const RULES: [Rule; 7] = [
    Rule {
        inbox: true,
        means: "a delivery lists a fact that is not there",
        sql: "SELECT i.id FROM inbox i, json_each(i.observations) e
            LEFT JOIN observations o ON o.position = e.value WHERE i.ordinal > ?1 AND o.position IS NULL",
    },
    Rule {
        inbox: true,
        means: "a delivery that was not understood has facts or a key",
        sql: "SELECT id FROM inbox WHERE ordinal > ?1 AND verdict IN ('rejected', 'failed')
            AND (observations IS NOT NULL OR dedupe_key IS NOT NULL)",
    },
    Rule {
        inbox: true,
        means: "a delivery that was understood has no key or no bytes",
        sql: "SELECT id FROM inbox WHERE ordinal > ?1 AND verdict IN ('accepted', 'ignored')
            AND (dedupe_key IS NULL OR body IS NULL)",
    },
    Rule {
        inbox: false,
        means: "a fact is of a delivery that is not there",
        sql: "SELECT o.position || ' of ' || o.delivery FROM observations o WHERE o.position > ?1
            AND NOT EXISTS (SELECT 1 FROM inbox i WHERE i.id = o.delivery)
            AND NOT EXISTS (SELECT 1 FROM inbox i WHERE i.first_id = o.delivery)",
    },
    Rule {
        inbox: false,
        means: "a fact is not listed by its family",
        sql: "SELECT o.position || ' of ' || o.family FROM observations o WHERE o.position > ?1 AND NOT EXISTS (
            SELECT 1 FROM families f, json_each(f.observations) e WHERE f.id = o.family AND e.value = o.position)",
    },
    Rule {
        inbox: false,
        means: "a family lists a fact or an entity that is not there",
        sql: "SELECT f.id FROM families f, json_each(f.observations) e
            LEFT JOIN observations o ON o.position = e.value AND o.family = f.id
            WHERE f.id IN (SELECT family FROM observations WHERE position > ?1) AND o.position IS NULL
            UNION ALL SELECT f.id FROM families f, json_each(f.entities) e
            LEFT JOIN entities n ON n.position = e.value AND n.family = f.id
            WHERE f.id IN (SELECT family FROM observations WHERE position > ?1) AND n.position IS NULL",
    },
    Rule {
        inbox: false,
        means: "a notice's fact is there twice",
        sql: "SELECT f.id FROM families f, json_each(f.observations) e JOIN observations o ON o.position = e.value
            WHERE f.id IN (SELECT family FROM observations WHERE position > ?1)
            GROUP BY f.id, o.dedupe_key, o.observation HAVING count(*) > 1",
    },
];

/// Of all rows, however few are new.
const WHOLE: [Rule; 4] = [
    Rule {
        inbox: false,
        means: "a family lists a fact that is not there",
        sql: "SELECT f.id FROM families f, json_each(f.observations) e
            LEFT JOIN observations o ON o.position = e.value WHERE ?1 = ?1 AND o.position IS NULL",
    },
    Rule {
        inbox: false,
        means: "an entity is there twice",
        sql: "SELECT id FROM entities WHERE ?1 = ?1 AND kind <> 'aftersale' GROUP BY id HAVING count(*) > 1",
    },
    Rule {
        inbox: false,
        means: "an entity is not listed by its family",
        sql:
            "SELECT n.id FROM entities n WHERE ?1 = ?1 AND NOT EXISTS (
            SELECT 1 FROM families f, json_each(f.entities) e WHERE f.id = n.family AND e.value = n.position)",
    },
    Rule {
        inbox: false,
        means: "SQLite finds the database damaged",
        sql: "SELECT quick_check FROM pragma_quick_check WHERE ?1 = ?1 AND quick_check <> 'ok'",
    },
];

/// Everything that does not fit, behind these rows of inbox and observations.
pub(super) fn rows(database: &mut Database, after: (i64, i64), depth: Depth) -> Result<Vec<String>> {
    let whole: &[Rule] = if depth == Depth::Quick { &[] } else { &WHOLE };
    let mut found = Vec::new();
    for rule in RULES.iter().chain(whole) {
        let after = if rule.inbox { after.0 } else { after.1 };
        for row in database.rows(rule.sql, after) {
            let row = row?;
            let what: String = row.try_get(0)?;
            found.push(format!("{}: {what}", rule.means));
        }
    }
    Ok(found)
}
