//! Help in Chinese, for the commands that franchisees use and for webhooks. Options that are missing here keep their English text.

/// A command by its path, what it does with what stands below its options, and its arguments by their ids.
pub(super) type Page =
    (&'static [&'static str], (&'static str, &'static str), &'static [(&'static str, &'static str)]);

const JSON: (&str, &str) = ("json", "输出 JSON");
const LANG: (&str, &str) = ("lang", "回答所用的语言：en、zh（默认按 LANG 环境变量）");
const CONFIG: (&str, &str) = ("config", "配置文件，从中读取门店目录");
const CONNECTOR: (&str, &str) = ("connector", "读取文件的连接器（.wasm），默认用 plugins/ 里的那个");
const MAPPING: (&str, &str) = ("mapping", "映射文件");
const DATA_CONFIG: (&str, &str) = ("config", "写有数据目录的配置文件");
const DATA: (&str, &str) = ("data", "数据目录；给出后不再读取配置文件");
const ID: (&str, &str) = ("id", "编号，imp_…");
const WEBHOOK: (&str, &str) = ("name", "推送地址的名称，见 qudao webhooks");
const LIMIT: (&str, &str) = ("limit", "最多显示多少条");
const ONLY_IMPORT: (&str, &str) = ("import", "只看这次导入，imp_…");
const ONLY_CHANNEL: (&str, &str) = ("channel", "只看这个渠道");
const ONLY_KIND: (&str, &str) = ("kind", "只看这一类，例如 unknown_store");
const ONLY_STORE: (&str, &str) = ("store", "只看这家门店");
const ONLY_STATE: (&str, &str) = ("state", "只看这种状态：open、retried、dismissed");
const DECIDED_STORE: (&str, &str) = ("store", "只处理这家门店，可以写多次");

/// Every page.
pub(super) const PAGES: &[Page] = &[
    (
        &["onboard"],
        (
            "接入老 ERP 的导出文件：识别、建议映射、预览、核对",
            "\
分步操作：
  qudao onboard 库存.csv                                       这是什么文件，依据是什么
  qudao onboard 库存.csv --write mappings/chengdu.yaml         写出一份映射作为起点
  qudao onboard preview --mapping mappings/chengdu.yaml 库存.csv --rejects rejects.csv
  qudao onboard check --mapping mappings/chengdu.yaml 旧文件/*.csv
  qudao onboard enable chengdu-erp --mapping mappings/chengdu.yaml
以上都不保存数据。分不清的地方绝不猜：在终端上会问您，否则在映射里写 TODO。
退出码：0 没有问题，2 还有要决定的，4 文件无法识别。",
        ),
        &[
            ("file", "ERP 导出的原样文件"),
            ("kind", "如果已知：内容是 stock_snapshot（库存）、stock_delta（出入库）、sales（小票）还是 prices（价格）"),
            ("store", "如果已知：文件属于哪一家门店"),
            ("write", "把建议的映射写到这个文件；已有的文件不会被覆盖"),
            CONFIG,
            CONNECTOR,
            JSON,
            LANG,
        ],
    ),
    (
        &["onboard", "preview"],
        (
            "看映射读出来的结果：前几行、各店合计、每一处被拒",
            "退出码：0 没有问题，1 有被拒的行，2 需要人来决定，3 整个文件被拒，4 用法或映射有错。",
        ),
        &[
            MAPPING,
            ("file", "ERP 导出的原样文件"),
            ("rejects", "把所有被拒的行写成 CSV，带中英文说明"),
            ("at", "假定现在是这个时间：RFC 3339 或 unix 秒"),
            CONFIG,
            CONNECTOR,
            JSON,
            LANG,
        ],
    ),
    (
        &["onboard", "check"],
        (
            "用映射读旧文件：哪些通过，哪些变了样",
            "退出码：0 没有问题，1 有被拒的行，2 需要人来决定，3 整个文件被拒，4 用法或映射有错。",
        ),
        &[
            MAPPING,
            ("files", "旧文件，可以写多个"),
            ("previous", "把这个文件当作已生效的上一份，据此检查门店是否异常减少"),
            ("rejects", "把所有被拒的行写成 CSV，带中英文说明"),
            ("at", "假定现在是这个时间：RFC 3339 或 unix 秒"),
            CONFIG,
            CONNECTOR,
            JSON,
            LANG,
        ],
    ),
    (
        &["onboard", "enable"],
        ("把映射投入使用：在 connectors.yaml 里加一个渠道", "已有的渠道不会改动；写入前先检查，有错就什么都不写。"),
        &[
            ("name", "渠道的名字：小写字母、数字和短横线"),
            MAPPING,
            ("watch", "监视这个文件夹，出现的文件自动导入"),
            ("config", "要写入的配置文件"),
            CONNECTOR,
            JSON,
            LANG,
        ],
    ),
    (
        &["onboard", "sheet"],
        ("打印一页给门店：导出文件应该是什么样", ""),
        &[MAPPING, CONFIG, CONNECTOR, JSON, LANG],
    ),
    (
        &["import"],
        (
            "导入 ERP 文件，查看结果，确认等待中的门店",
            "\
先保存原始字节，再读取；同一个文件再次导入没有任何变化。
退出码：0 没有问题，1 有被拒的行，2 有内容待确认，3 整个文件被拒，4 用法有错。不加 --wait 时，网关收到文件即为 0。",
        ),
        &[
            ("file", "文件"),
            ("channel", "导入哪个渠道；只有一个渠道读文件时可以不写"),
            ("dry_run", "只看会有什么变化，不做任何改动；网关不必在运行"),
            ("wait", "等文件读完，并显示结果"),
            DATA_CONFIG,
            DATA,
            JSON,
            LANG,
        ],
    ),
    (
        &["import", "list"],
        ("列出导入记录，最新的在前", ""),
        &[
            ONLY_CHANNEL,
            ("state", "只看这种状态：received、reading、applying、held、applied、partial、rejected、discarded、failed"),
            ("since", "只看这个时间以后收到的：RFC 3339、日期，或多久以前（30m、2h、3d）"),
            LIMIT,
            DATA_CONFIG,
            DATA,
            JSON,
            LANG,
        ],
    ),
    (
        &["import", "show"],
        ("查看一次导入：各行的去向，什么在等待、为什么", ""),
        &[ID, DATA_CONFIG, DATA, JSON, LANG],
    ),
    (
        &["import", "confirm"],
        ("确认：让等待中的内容生效", "不写 --store 时，这次导入中所有等待的门店都生效。"),
        &[ID, DECIDED_STORE, DATA_CONFIG, DATA, JSON, LANG],
    ),
    (
        &["import", "discard"],
        ("作废：等待中的内容永不生效", "不写 --store 时，这次导入中所有等待的门店都作废；已经生效的保持不变。"),
        &[ID, DECIDED_STORE, DATA_CONFIG, DATA, JSON, LANG],
    ),
    (
        &["webhooks"],
        (
            "查看事件推送（webhook）：启用、重发、放弃、测试、生成密钥",
            "\
推送失败会自动重试，间隔最长一小时，直到成功。对方返回 410 时停止推送，用 qudao webhooks enable 恢复。事件不会丢失。详见 docs/feed.md。
退出码：0 正常；2 有推送地址已停用，或待重试的事件太多、不再推送新事件；ping 未送达时为 1。",
        ),
        &[DATA_CONFIG, DATA, JSON, LANG],
    ),
    (&["webhooks", "list"], ("列出所有推送地址，与不带子命令相同", ""), &[DATA_CONFIG, DATA, JSON, LANG]),
    (
        &["webhooks", "show"],
        ("查看一个推送地址：进度、等待的事件、原因", ""),
        &[WEBHOOK, DATA_CONFIG, DATA, JSON, LANG],
    ),
    (
        &["webhooks", "enable"],
        ("恢复已停用的推送地址，或立即重试失败的", ""),
        &[WEBHOOK, DATA_CONFIG, DATA, JSON, LANG],
    ),
    (
        &["webhooks", "redeliver"],
        ("重新推送一段事件", "每个事件的 webhook-id 与之前相同：已经收到的会被对方忽略。"),
        &[WEBHOOK, ("after", "推送这个序号之后的全部事件；0 表示从头开始"), DATA_CONFIG, DATA, JSON, LANG],
    ),
    (
        &["webhooks", "parked"],
        ("列出对方尚未接收的事件，以及排在其后的", ""),
        &[WEBHOOK, DATA_CONFIG, DATA, JSON, LANG],
    ),
    (
        &["webhooks", "skip"],
        (
            "放弃一个等待重试的事件，继续推送排在其后的",
            "用于对方永远不会接收的事件。会写入审计记录。事件仍保留在事件流中，可以用 qudao webhooks redeliver 再次推送。",
        ),
        &[WEBHOOK, ("seq", "事件的序号，见 qudao webhooks parked"), DATA_CONFIG, DATA, JSON, LANG],
    ),
    (
        &["webhooks", "ping"],
        ("发送一个不属于事件流的签名事件，查看结果", ""),
        &[WEBHOOK, DATA_CONFIG, DATA, JSON, LANG],
    ),
    (
        &["webhooks", "secret"],
        (
            "生成一个新密钥",
            "\
把它保存在只有网关能读的文件里，例如 (umask 077; qudao webhooks secret > secrets/hq)，在 connectors.yaml 里写 secret: {file: secrets/hq}，
并交给接收方。更换密钥时把旧的写在 previous_secret：去掉这一行之前，两个密钥都会签名。",
        ),
        &[JSON, LANG],
    ),
    (&["quarantine"], ("文件中没能读入的行：列出、查看、重试、导出", ""), &[]),
    (
        &["quarantine", "list"],
        ("按文件和类别列出待处理的行", ""),
        &[ONLY_IMPORT, ONLY_CHANNEL, ONLY_KIND, ONLY_STORE, ONLY_STATE, DATA_CONFIG, DATA, JSON, LANG],
    ),
    (
        &["quarantine", "show"],
        ("逐行查看：哪里错了，怎样改正", ""),
        &[ONLY_IMPORT, ONLY_CHANNEL, ONLY_KIND, ONLY_STORE, ONLY_STATE, LIMIT, DATA_CONFIG, DATA, JSON, LANG],
    ),
    (
        &["quarantine", "retry"],
        (
            "按当前的映射和门店目录重新读取保存的文件",
            "在门店目录加了门店、或改好映射之后使用。已经生效的保持不变，这次能读的补上。退出码同 qudao import。",
        ),
        &[ONLY_IMPORT, DATA_CONFIG, DATA, JSON, LANG],
    ),
    (
        &["quarantine", "export"],
        (
            "输出 CSV 发给门店，带中英文说明",
            "UTF-8 带 BOM，每处错误一行，写明问题和改正办法。会被表格软件当作公式的单元格前面加了单引号。",
        ),
        &[
            ONLY_IMPORT,
            ONLY_CHANNEL,
            ONLY_KIND,
            ONLY_STORE,
            ONLY_STATE,
            ("output", "写到这个文件，而不是屏幕"),
            DATA_CONFIG,
            DATA,
        ],
    ),
];
