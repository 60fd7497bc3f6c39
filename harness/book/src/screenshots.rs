//! Pictures of the real management page, taken by a browser from a running broker.

use std::path::Path;

use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties, ExchangeKind,
    options::{
        BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions, ExchangeDeleteOptions,
        QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions,
    },
    types::{AMQPValue, FieldTable},
};
use workbook_broker::Broker;

use crate::{browser::Browser, error::BookError, shot::SHOTS};

/// The size of a picture.
const SIZE: (u32, u32) = (1100, 760);
/// What is made in the broker's virtual host `/`, and removed afterwards.
const QUEUES: [&str; 4] = ["hello", "orders", "critical_or_kernel", "everything"];
const EXCHANGE: &str = "topic_logs";

/// The title of a section unfolds it.
const UNFOLD_BINDINGS: &str = "
    const title = [...document.querySelectorAll('#main h2')].find(it => it.innerText.startsWith('Bindings'));
    if (title.closest('.section-hidden, .section-invisible')) { title.click(); }
";

/// Takes all pictures anew, and tells each.
pub async fn take(root: &Path, broker: &Broker, tell: impl Fn(&str)) -> Result<(), BookError> {
    let amqp = |error: lapin::Error| BookError::run("preparing the broker", error);
    let connection = Connection::connect(&broker.amqp_url(), ConnectionProperties::default())
        .await
        .map_err(amqp)?;
    let channel = connection.create_channel().await.map_err(amqp)?;
    prepare(&channel).await.map_err(amqp)?;
    let browser = Browser::open().await?;
    let taken = shoot(root, broker, &browser, tell).await;
    browser.close().await?;
    clean(&channel).await.map_err(amqp)?;
    connection.close(200, "done".into()).await.map_err(amqp)?;
    taken
}

async fn prepare(channel: &Channel) -> Result<(), lapin::Error> {
    channel
        .confirm_select(ConfirmSelectOptions::default())
        .await?;
    for queue in QUEUES {
        let mut arguments = FieldTable::default();
        if queue == "orders" {
            arguments.insert(
                "x-queue-type".into(),
                AMQPValue::LongString("quorum".into()),
            );
        }
        let options = QueueDeclareOptions::durable();
        channel
            .queue_declare(queue.into(), options, arguments)
            .await?;
    }
    channel
        .exchange_declare(
            EXCHANGE.into(),
            ExchangeKind::Topic,
            ExchangeDeclareOptions {
                durable: true,
                ..Default::default()
            },
            FieldTable::default(),
        )
        .await?;
    for (queue, pattern) in [
        ("critical_or_kernel", "*.critical"),
        ("critical_or_kernel", "kern.*"),
        ("everything", "#"),
    ] {
        channel
            .queue_bind(
                queue.into(),
                EXCHANGE.into(),
                pattern.into(),
                QueueBindOptions::default(),
                FieldTable::default(),
            )
            .await?;
    }
    for queue in ["hello", "hello", "orders"] {
        channel
            .basic_publish(
                "".into(),
                queue.into(),
                BasicPublishOptions::default(),
                b"Hello World!",
                BasicProperties::default().with_delivery_mode(2),
            )
            .await?
            .await?;
    }
    Ok(())
}

async fn clean(channel: &Channel) -> Result<(), lapin::Error> {
    for queue in QUEUES {
        channel
            .queue_delete(queue.into(), QueueDeleteOptions::default())
            .await?;
    }
    channel
        .exchange_delete(EXCHANGE.into(), ExchangeDeleteOptions::default())
        .await
}

async fn shoot(
    root: &Path,
    broker: &Broker,
    browser: &Browser,
    tell: impl Fn(&str),
) -> Result<(), BookError> {
    browser.size(SIZE.0, SIZE.1).await?;
    let page = broker
        .management_url()
        .as_str()
        .trim_end_matches('/')
        .to_owned();
    browser.goto(&format!("{page}/")).await?;
    browser
        .until("document.querySelector('input[name=username]') !== null")
        .await?;
    browser.click("input[name=username]").await?;
    browser.type_text("guest").await?;
    browser.click("input[name=password]").await?;
    browser.type_text("guest").await?;
    browser.click("input[type=submit]").await?;
    browser
        .until("document.getElementById('main')?.innerText.includes('Overview')")
        .await?;
    for shot in SHOTS {
        // The page shows what the broker has gathered, some seconds late; so each picture waits for what it is about.
        let (place, shows) = match shot.name {
            "queue" => ("#/queues/%2F/hello", r"/Total\s+2\b/"),
            "bindings" => ("#/exchanges/%2F/topic_logs", r"/kern\.\*/"),
            "quorum" => ("#/queues/%2F/orders", r"/Total\s+1\b/"),
            _ => ("#/", r"/Queued messages|Ready/"),
        };
        browser
            .script::<()>(&format!("location.hash = '{place}';"))
            .await?;
        browser
            .until(&format!(
                // What is folded has no inner text.
                "[document.getElementById('main')].some(it => [it?.innerText, it?.textContent].some(text => {shows}.test(text ?? '')))"
            ))
            .await?;
        // The first section is unfolded already.
        let place = if shot.name == "bindings" {
            browser.script::<()>(UNFOLD_BINDINGS).await?;
            browser
                .until("jQuery(':animated').length === 0 && document.getElementById('main').innerText.includes('kern.*')")
                .await?;
            "document.body.scrollHeight"
        } else {
            "0"
        };
        browser
            .script::<()>(&format!("window.scrollTo(0, {place});"))
            .await?;
        let path = root.join(format!("book/src/images/management/{}.png", shot.name));
        browser.screenshot(&path).await?;
        tell(&format!("taken: {}", path.display()));
    }
    Ok(())
}
