//! What is checked of `new_task` and `worker`.
//!
//! Work takes time, and nobody wants to wait for it. A check that only wants the work to be done gives the worker a
//! unit of some milliseconds. A check that wants to see a worker at work gives it a unit of an hour.

use std::time::Duration;

use workbook_lab::{
    Checked, Cut, Failure, Fault, Lab, Outcome, Program, Rule, Start, client, ensure,
    judge::Declare,
    lab, property,
    proptest::{collection::vec, prelude::any, strategy::Strategy},
    vocabulary::tasks::{NEVER, Task},
};

const QUEUE: &str = "task_queue";
/// Work that is done at once.
const QUICK: Duration = Duration::from_millis(2);
/// Work that takes long enough to tell it from none.
const SLOW: Duration = Duration::from_millis(40);
/// So many dots that also a worker with another unit than it was told is at work for as long as a check lasts.
const ENDLESS: &str = "............................................................";

#[test]
fn new_task_sends_its_words() -> Outcome {
    let plain = ["First", "task.."].map(str::to_owned).to_vec();
    let awkward = [
        "two  blanks",
        "",
        "it's",
        "twice",
        "twice",
        "Twice",
        "\"\\",
        "消息 😀..",
        " ",
    ];
    let awkward = awkward.map(str::to_owned);
    // Whether one argument that is empty is a task or none is left open.
    let words = vec("[ -~]{0,12}|\\PC{0,6}", 0..=5);
    let words = words.prop_filter("one empty argument", |words| words != &[""]);
    property!(
        words,
        [vec![], plain, awkward.to_vec()],
        async |lab, words| {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let task = match words.as_slice() {
                [] => "Hello World!".to_owned(),
                words => words.join(" "),
            };
            let new_task = lab.start("new_task", &words).await?;
            new_task.succeeds().await?;
            new_task.prints_bodies(std::slice::from_ref(&task)).await?;
            expect_waiting(lab, &[task]).await
        }
    )
}

#[test]
fn new_task_says_so_and_closes() -> Outcome {
    lab!(async |lab| {
        let new_task = lab.start("new_task", &["First", "task."]).await?;
        new_task
            .until_frame("`new_task` publishes (basic.publish)", |event| {
                event.is("basic.publish")
            })
            .await?;
        new_task.closes_its_connections().await?;
        new_task.succeeds().await?;
        new_task.prints_bodies(&["First task.".to_owned()]).await
    })
}

#[test]
fn tasks_are_persistent() -> Outcome {
    lab!(async |lab| {
        let new_task = lab.start("new_task", &["Keep", "me."]).await?;
        let published = new_task
            .until("`new_task` publishes a message", |new_task| {
                let messages = new_task.events().into_iter();
                let mut modes = messages.filter_map(|event| {
                    let message = event.message().filter(|message| message.is_publish())?;
                    Some(*message.properties().delivery_mode())
                });
                modes.next().map(Ok)
            })
            .await?;
        new_task.ends().await?;
        let mode = published.map_or("no delivery_mode".to_owned(), |mode| {
            format!("delivery_mode = {mode}")
        });
        ensure!(
            published == Some(2),
            "`new_task` publishes its task as a persistent message: delivery_mode = 2",
            format!("it published it with {mode}"),
        );
        Ok(())
    })
}

#[test]
fn both_declare_the_same_durable_queue() -> Outcome {
    lab!(async |lab| {
        // `worker` first …
        let worker = lab.start_worker(QUICK).await?;
        worker.takes_from(QUEUE).await?;
        lab.is_left_a_durable_queue("worker", QUEUE).await?;
        lab.runs("new_task", &["after"]).await?;
        worker.does_tasks(&["after".to_owned()]).await?;
        // … and `new_task` first, in a world of its own.
        let lab = lab.another().await?;
        lab.runs("new_task", &["before"]).await?;
        lab.is_left_a_durable_queue("new_task", QUEUE).await?;
        let worker = lab.start_worker(QUICK).await?;
        worker.does_tasks(&["before".to_owned()]).await
    })
}

#[test]
fn tasks_survive_a_restart_of_the_broker() -> Outcome {
    lab!(async |lab| {
        let lab = lab.on_its_own_broker().await?;
        let tasks = ["one", "two"].map(str::to_owned);
        for task in &tasks {
            lab.runs("new_task", &[task]).await?;
        }
        lab.restart_broker().await?;
        expect_waiting(&lab, &tasks).await
    })
}

#[test]
fn worker_does_what_was_waiting() -> Outcome {
    lab!(async |lab| {
        let tasks = ["one.", "two..", "three"].map(str::to_owned);
        leave_waiting(lab, &how_worker_declares(lab).await?, &tasks).await?;
        let worker = lab.start_worker(QUICK).await?;
        worker.does_tasks(&tasks).await?;
        worker.says_done_after_each(&tasks)?;
        worker.ends_on_ctrl_c().await?;
        expect_waiting(lab, &[]).await
    })
}

#[test]
fn worker_works_a_unit_for_each_dot() -> Outcome {
    property!(
        "[a-z.]{1,6}",
        [".a..b.".to_owned(), ".".repeat(20)],
        async |lab, task| {
            let worker = lab.start_worker(SLOW).await?;
            let started = give(lab, &worker, &task).await?.delivered;
            worker.says_done(1).await?;
            let dots = task.matches('.').count();
            let (work, took) = (units(dots), worker.done()[0].saturating_sub(started));
            ensure!(
                took >= work.mul_f64(0.9),
                format!("`worker` works for {dots} units of {SLOW:?} on the task `{task}`"),
                "it said `Done` before that time was over",
            );
            Ok(())
        }
    )
}

#[test]
fn task_unit_ms_sets_the_unit() -> Outcome {
    lab!(async |lab| {
        // A task without a dot takes no time, however long the unit is.
        let slow = lab.start_worker(NEVER).await?;
        give(lab, &slow, "no dot, no work").await?;
        slow.says_done(1).await?;
        slow.settles_all(1).await?;
        slow.kill();
        slow.ends().await?;
        // And one with many dots takes little, when the unit is short. The last basic.ack of a killed program need not
        // reach the broker, so this one gets a queue that nobody else had.
        let lab = lab.another().await?;
        let quick = lab.start_worker(Duration::from_millis(1)).await?;
        give(&lab, &quick, &format!("many dots{ENDLESS}")).await?;
        quick.says_done(1).await?;
        quick.settles_all(1).await?;
        quick.kill();
        quick.ends().await?;
        // Nobody tells this one how long a unit is.
        let lab = lab.another().await?;
        let untold = lab.start("worker", &[]).await?;
        let started = give(&lab, &untold, "one dot.").await?.delivered;
        untold.says_done(1).await?;
        untold.settles_all(1).await?;
        let took = untold.done()[0].saturating_sub(started);
        ensure!(
            took >= Duration::from_secs(1).mul_f64(0.9),
            "without `TASK_UNIT_MS`, `worker` works for a second on a task with one `.`",
            "it said `Done` before that time was over",
        );
        Ok(())
    })
}

#[test]
fn worker_acknowledges_after_the_work() -> Outcome {
    lab!(async |lab| {
        let worker = lab.start_worker(4 * SLOW).await?;
        let task = give(lab, &worker, "slow..").await?;
        let what = "`worker` acknowledges a task by hand, and only when the work is done";
        ensure!(
            !task.automatic,
            what,
            "it consumes with automatic acknowledgement (no_ack), so the broker has forgotten the task when it sends it",
        );
        worker.settles_all(1).await?;
        let settled = worker.tasks()[0].settled.map(|settled| settled.at);
        let took = settled.unwrap_or_default().saturating_sub(task.delivered);
        ensure!(
            took >= (8 * SLOW).mul_f64(0.9),
            what,
            format!(
                "the work on this task takes {:?}, and basic.ack came before that time was over",
                8 * SLOW
            ),
        );
        Ok(())
    })
}

#[test]
fn worker_asks_for_one_task_at_a_time() -> Outcome {
    lab!(async |lab| {
        let worker = lab.start_worker(QUICK).await?;
        worker.consumes_from(QUEUE).await?;
        let events = worker.events();
        let what = "`worker` sends basic.qos with prefetch-count = 1, and not global, before basic.consume";
        let consume = events.iter().position(|event| event.is("basic.consume"));
        let consume = consume.unwrap_or(events.len());
        let channel = events.get(consume).and_then(|event| event.channel());
        let asked = events[..consume]
            .iter()
            .rfind(|event| event.is("basic.qos") && event.channel() == channel);
        let Some(qos) = asked.and_then(|event| event.method()) else {
            return Err(Failure::new(
                what,
                "there is no basic.qos on that channel before basic.consume: the prefetch is unlimited",
            ));
        };
        let argument = |name| qos.argument(name).unwrap_or_default();
        ensure!(
            argument("prefetch-count") == 1 && argument("global") == false,
            what,
            format!(
                "it sent basic.qos with prefetch-count = {}, global = {}",
                argument("prefetch-count"),
                argument("global")
            ),
        );
        Ok(())
    })
}

#[test]
fn a_busy_worker_holds_nobody_up() -> Outcome {
    property!((1..=6_usize, 1..=2_usize), [(2, 1)], async |lab,
                                                           (
        count,
        free,
    )| {
        let busy = lab.start_worker(NEVER).await?;
        give(lab, &busy, &format!("all day long{ENDLESS}")).await?;
        let others = start_workers(lab, free, QUICK).await?;
        let tasks: Vec<String> = (1..=count).map(|number| format!("task {number}")).collect();
        lab.judge().await?.publish(QUEUE, &tasks).await?;
        let what = "while one `worker` is busy, the others get all other tasks, and do them";
        others[0]
            .until(what, |_| {
                if busy.tasks().len() > 1 {
                    return Some(Err(Failure::new(
                        what,
                        "the broker sent some of them to the busy `worker`, where they wait",
                    )));
                }
                let sum =
                    |count: fn(&Program) -> usize| -> usize { others.iter().map(count).sum() };
                let done = sum(|other| other.done().len());
                let acked = sum(|other| other.tasks().iter().filter(|it| it.is_acked()).count());
                (done == count && acked == count).then_some(Ok(()))
            })
            .await
    })
}

#[test]
fn every_task_is_done_exactly_once() -> Outcome {
    let task = |task: &str| task.to_owned();
    property!(
        (vec("[a-z]{1,8}", 0..=12), 1..=3_usize),
        [
            // The first takes so long that whoever asks for more has got the second by then.
            (vec![task("one..."), task("two")], 1),
            (vec![task("again"), task("again"), task(".")], 2),
            // Nobody else takes the task that is like the one before, or the one that says nothing.
            (
                vec![task("again."), task("again."), task(""), task("end")],
                1
            )
        ],
        async |lab, (tasks, count)| {
            let workers = start_workers(lab, count, SLOW).await?;
            lab.judge().await?.publish(QUEUE, &tasks).await?;
            let what = "each task is delivered, done and acknowledged once";
            let sum = |count: fn(&Program) -> usize| -> usize { workers.iter().map(count).sum() };
            workers[0]
                .until(what, |_| {
                    let delivered = sum(|worker| worker.tasks().len());
                    if delivered > tasks.len() {
                        return Some(Err(Failure::new(
                            what,
                            "a task was delivered again, although no worker had ended",
                        )));
                    }
                    let acked =
                        sum(|worker| worker.tasks().iter().filter(|it| it.is_acked()).count());
                    (acked == tasks.len() && sum(|worker| worker.done().len()) == tasks.len())
                        .then_some(Ok(()))
                })
                .await?;
            let mut got = Vec::new();
            for worker in &workers {
                let own: Vec<String> = worker.tasks().iter().map(Task::text).collect();
                worker.does_tasks(&own).await?;
                worker.ends_on_ctrl_c().await?;
                worker.holds_one_at_a_time()?;
                worker.gets_no_error()?;
                got.extend(own);
            }
            let mut tasks = tasks;
            tasks.sort();
            got.sort();
            ensure!(
                got == tasks,
                format!("the tasks that were done are {tasks:?}"),
                format!("they are {got:?}")
            );
            expect_waiting(lab, &[]).await
        }
    )
}

#[test]
fn a_killed_worker_loses_no_task() -> Outcome {
    lab!(async |lab| {
        let first = lab.start_worker(NEVER).await?;
        give(lab, &first, "precious...").await?;
        first.is_at_work_on("precious...").await?;
        first.kill();
        first.ends().await?;
        let second = lab.start_worker(QUICK).await?;
        expect_redelivered(&second.gets_task("precious...").await?)?;
        second.does_tasks(&["precious...".to_owned()]).await
    })
}

#[test]
fn a_cut_before_the_ack_brings_the_task_again() -> Outcome {
    lab!(async |lab| {
        let first = lab.start_worker(QUICK).await?;
        first.takes_from(QUEUE).await?;
        let cut = first.inject(Fault::Cut(Cut::Reset), Rule::before(client("basic.ack")));
        lab.judge().await?.publish(QUEUE, &["once more."]).await?;
        first
            .until("`worker` acknowledges its task (basic.ack)", |_| {
                cut.as_ref()?.hit().map(|_| Ok(()))
            })
            .await?;
        let why = "its connection was cut before the acknowledgement";
        let again = if first.is_back_or_fails_loudly(why).await? {
            first
        } else {
            lab.start_worker(QUICK).await?
        };
        let what = "the task is delivered again, marked as `redelivered`, and done";
        again
            .until(what, |worker| {
                let tasks = worker.tasks();
                let done = |it: &Task| it.redelivered && it.is_acked();
                tasks.last().is_some_and(done).then_some(Ok(()))
            })
            .await
    })
}

#[test]
fn any_bytes_never_end_worker() -> Outcome {
    property!(
        vec(any::<u8>(), 1..=16),
        [vec![0xff], b"caf\xe9".to_vec()],
        async |lab, bytes| {
            let worker = lab.start_worker(Duration::ZERO).await?;
            worker.takes_from(QUEUE).await?;
            let end = lab.unique("end");
            let judge = lab.judge().await?;
            judge
                .publish(QUEUE, &[bytes.as_slice(), end.as_bytes()])
                .await?;
            let what = "`worker` goes on after a task that is not UTF-8, and prints the next one";
            worker
                .until(what, |worker| {
                    worker.stdout().contains(&end).then_some(Ok(()))
                })
                .await?;
            worker.settles_all(2).await
        }
    )
}

#[test]
fn worker_lives_while_it_works() -> Outcome {
    lab!(async |lab| {
        let task = format!("all day long{ENDLESS}");
        let worker = lab.start_worker_as("worker", NEVER, Some(1)).await?;
        give(lab, &worker, &task).await?;
        worker.is_at_work_on(&task).await?;
        worker.sends_a_heartbeat("while it works").await?;
        worker.ends_on_ctrl_c().await?;
        // What is not done goes back, and the next one gets it.
        let next = lab.start_worker(NEVER).await?;
        expect_redelivered(&next.gets_task(&task).await?)?;
        if worker.beats_slowly() {
            next.is_at_work_on(&task).await?;
            next.answers_a_close(lab, "while it works").await?;
        }
        Ok(())
    })
}

#[test]
fn both_leave_nothing_but_the_queue() -> Outcome {
    lab!(async |lab| {
        let worker = lab.start_worker(QUICK).await?;
        give(lab, &worker, "something").await?;
        worker.says_done(1).await?;
        lab.leaves_nothing_else().await?;
        lab.start("new_task", &["more"]).await?.ends().await?;
        lab.leaves_nothing_else().await
    })
}

#[test]
fn both_say_so_without_a_broker() -> Outcome {
    lab!(async |lab| lab.all_need_a_broker(&["new_task", "worker"]).await)
}

/// The time that the work on a task with so many dots takes.
fn units(dots: usize) -> Duration {
    SLOW * u32::try_from(dots).unwrap_or(u32::MAX)
}

/// Publishes a task for a worker that waits, and waits until it gets it.
async fn give(lab: &Lab, worker: &Program, task: &str) -> Result<Task, Failure> {
    worker.takes_from(QUEUE).await?;
    lab.judge().await?.publish(QUEUE, &[task]).await?;
    worker.gets_task(task).await
}

/// Starts workers, and waits until all of them consume.
async fn start_workers(lab: &Lab, count: usize, unit: Duration) -> Result<Vec<Program>, Failure> {
    let mut workers = Vec::new();
    for number in 0..count {
        workers.push(lab.start_worker(unit).await?);
        // RabbitMQ 3.10 answers 541 to a consumer of a quorum queue that another connection has not quite made yet.
        if number == 0 {
            workers[0].takes_from(QUEUE).await?;
        }
    }
    for worker in &workers {
        worker.takes_from(QUEUE).await?;
    }
    Ok(workers)
}

/// How `worker` declares the queue: it is asked, in a world of its own.
async fn how_worker_declares(lab: &Lab) -> Result<Declare, Failure> {
    let other = lab.another().await?;
    let worker = other.start_as("worker", Start::default()).await?;
    worker.declares_queue(QUEUE).await
}

/// Leaves tasks in the queue, declared as `worker` declares it, before `worker` starts.
async fn leave_waiting(lab: &Lab, declare: &Declare, tasks: &[String]) -> Checked {
    let judge = lab.judge().await?;
    judge.declare_as(declare).await?;
    judge.publish(QUEUE, tasks).await
}

/// Holds that a task was delivered before.
fn expect_redelivered(task: &Task) -> Checked {
    ensure!(
        task.redelivered,
        "the task is delivered again, marked as `redelivered`",
        "it came without that mark",
    );
    Ok(())
}

/// Holds that exactly these tasks wait in the queue.
async fn expect_waiting(lab: &Lab, tasks: &[String]) -> Checked {
    let expected = match tasks {
        [] => format!("the queue `{QUEUE}` is empty"),
        _ => format!("the queue `{QUEUE}` holds exactly {tasks:?}"),
    };
    let observed = match lab.judge().await?.drain(QUEUE).await? {
        None => format!("there is no queue `{QUEUE}`"),
        Some(bodies) => {
            let found: Vec<_> = bodies
                .iter()
                .map(|body| String::from_utf8_lossy(body).into_owned())
                .collect();
            if found == tasks {
                return Ok(());
            }
            format!("it holds {found:?}")
        }
    };
    Err(lab.explain(Failure::new(expected, observed)))
}
