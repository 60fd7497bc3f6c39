//! `<!-- workbook:screenshot queue -->`: a picture of the real management page.

use crate::{error::BookError, page::Page};

/// A screenshot: its name, and what is on it, in words.
#[derive(Clone, Copy, Debug)]
pub struct Shot {
    /// The name of its file, `book/src/images/management/NAME.png`.
    pub name: &'static str,
    /// What is on it, in English.
    pub en: &'static str,
    /// What is on it, in Chinese.
    pub zh: &'static str,
}

/// All of them.
pub const SHOTS: [Shot; 4] = [
    Shot {
        name: "overview",
        en: "The overview of the management page: the totals of messages, the message rates, and the counts of connections, channels, exchanges and queues",
        zh: "管理页面的概览：消息总数、消息速率，以及连接、信道、交换机和队列的数目",
    },
    Shot {
        name: "queue",
        en: "The page of the queue hello: its kind is classic, it is durable, two messages are ready, none is unacknowledged, and the total is two",
        zh: "队列 hello 的页面：类型为 classic，持久，有两条消息就绪，没有未确认的消息，总数为二",
    },
    Shot {
        name: "bindings",
        en: "The page of the topic exchange topic_logs, with its bindings: one queue is bound with the pattern *.critical and with kern.*, another one with the pattern #",
        zh: "topic 交换机 topic_logs 的页面及其绑定：一个队列用模式 *.critical 和 kern.* 绑定，另一个队列用模式 # 绑定",
    },
    Shot {
        name: "quorum",
        en: "The page of the queue orders: its type is quorum, it is durable, its delivery limit is 20, and one message is ready",
        zh: "队列 orders 的页面：类型为 quorum，持久，投递上限为 20，有一条消息就绪",
    },
];

pub(crate) fn screenshot(page: &Page<'_>, name: &str) -> Result<String, BookError> {
    let shot = SHOTS.into_iter().find(|shot| shot.name == name);
    let shot = shot.ok_or_else(|| page.wrong(format!("there is no screenshot `{name}`")))?;
    Ok(format!(
        "![{}](images/management/{name}.png)",
        page.tongue.pick(shot.en, shot.zh)
    ))
}
