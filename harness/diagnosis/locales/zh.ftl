# 每条发现（finding）的名称与解释。消息名就是发现的名字。
#
# 值是标题（可以接在程序名后面），`.explanation` 是一段话：用 AMQP 的术语说明发生了什么、为什么、该怎么做。
# `$program` 是程序名。没有值的参数写作 `none`。

queue-not-found = 使用了不存在的队列：404 NOT_FOUND
    .explanation = `{ $program }` 对队列 `{ $queue }` 发送了 { $method }，但代理上没有这个队列，于是代理返回 404 NOT_FOUND 并关闭了信道。
        队列从某个程序声明它的那一刻起才存在。{ $similar ->
            [none] { $later ->
                [none] 使用之前请先声明这个队列，参数要与其他程序一致。
               *[other] `{ $later }` 会声明它，但那是在此之后。哪个程序先运行是无法预知的，所以两边都要声明，参数保持一致。
            }
           *[other] 已有一个名为 `{ $similar }` 的队列，你要用的是不是它？
        }

exchange-not-found = 使用了不存在的交换机：404 NOT_FOUND
    .explanation = `{ $program }` 对交换机 `{ $exchange }` 发送了 { $method }，但代理上没有这个交换机，所以代理返回 404 NOT_FOUND
        并关闭信道，发布到那里的消息也就丢失了。{ $queue ->
            [yes] `{ $exchange }` 其实是一个队列的名字。要按名字把消息送进队列，请发布到默认交换机（名字是空字符串），路由键填队列名。
           *[no] 使用之前请先声明交换机。如果只是想按名字把消息送进队列，请发布到默认交换机（名字是空字符串），路由键填队列名。
        }

inequivalent-arguments = 用不同的参数重复声明 `{ $name }`：406 PRECONDITION_FAILED
    .explanation = `{ $program }` 声明{ $kind ->
            [exchange] 交换机
           *[queue] 队列
        } `{ $name }` 时 { $argument } = { $received }，而已存在的那个是 { $argument } = { $current }{ $owner ->
            [none] {""}
           *[other] （由 `{ $owner }` 先声明）
        }。只有全部选项和参数都相同，重复声明才没有影响；否则代理会返回 406 PRECONDITION_FAILED 并关闭信道。
        请在每个程序里使用同样的声明。（如果是以前遗留下来的，要先把它删除。）

double-ack = 对同一次投递确认了两次：406 PRECONDITION_FAILED
    .explanation = `{ $program }` 已经处理了标签为 { $tag } 的投递，之后又对它发送了一次 { $method }。投递一经确认，代理就不再记得它，
        所以第二次时这个标签已经无效：代理返回 406 PRECONDITION_FAILED，关闭信道，并把所有尚未确认的消息放回队列。
        每次投递只确认一次；带 `multiple` 的 basic.ack 会确认该标签及之前的所有投递。

ack-on-other-channel = 在另一个信道上确认：406 PRECONDITION_FAILED
    .explanation = `{ $program }` 在一个信道上收到标签为 { $tag } 的投递，却在另一个信道上对它发送了 { $method }。
        投递标签在每个信道上各自从 1 开始计数，换一个信道就没有意义，因此代理返回 406 PRECONDITION_FAILED 并关闭信道。
        在哪个信道上收到，就在哪个信道上确认。

ack-after-automatic-ack = 已使用自动确认，却又手动确认：406 PRECONDITION_FAILED
    .explanation = `{ $program }` 以自动确认（no_ack）方式消费，又对标签为 { $tag } 的投递发送了 { $method }。使用自动确认时，
        代理一发出消息就把它忘了，所以不认识这个标签：它返回 406 PRECONDITION_FAILED 并关闭信道。
        两者只能选一：要么不用 no_ack 并逐条确认，要么用 no_ack 而完全不确认。

unknown-delivery-tag = 确认了不存在的投递：406 PRECONDITION_FAILED
    .explanation = `{ $program }` 对投递标签 { $tag } 发送了 { $method }，而这个信道上没有标签为 { $tag } 的未确认投递，因此代理返回
        406 PRECONDITION_FAILED 并关闭了信道。请使用随投递一起收到的标签，并在同一个信道上确认；重新连接之后，旧的标签全部失效。

resource-locked = 使用了别的连接的独占队列：405 RESOURCE_LOCKED
    .explanation = `{ $program }` 对队列 `{ $queue }` 发送了 { $method }，而这是一个独占队列{ $owner ->
            [none] {""}
           *[other] ，属于 `{ $owner }` 的连接
        }。独占队列只能由声明它的连接使用，其他连接会得到 405 RESOURCE_LOCKED，信道也会被关闭。
        要共用队列就不要声明为独占，否则让每个程序各自声明一个。

access-refused = 被拒绝访问：403 ACCESS_REFUSED
    .explanation = 代理对 `{ $program }` 的{ $method ->
            [none] 登录
           *[other] {" "}{ $method }{" "}
        }返回 403 ACCESS_REFUSED：“{ $text }”。{ $about ->
            [consumer] 该队列已被一个消费者独占，或者已有其他消费者时又要求独占。请在所有程序里都不要使用 `exclusive` 消费。
            [login] 用户名或密码不对，或者该用户不允许从这里登录。
           *[other] 该用户没有配置、写入或读取这个名字的权限。以 `amq.` 开头的名字归代理自己使用。
        }

transient-queue-refused = 声明了这个代理不允许的非持久、非独占队列：541 INTERNAL_ERROR
    .explanation = `{ $program }` 声明的队列 `{ $queue }` 既不持久也不独占。这个代理不再允许这种队列（已弃用的特性 `transient_nonexcl_queues`）：
        它返回 541 INTERNAL_ERROR，并关闭了整个连接。请在每个声明该队列的程序里都把它声明为持久队列。

direct-reply-to = 使用直接回复（direct reply-to）时条件不满足：406 PRECONDITION_FAILED
    .explanation = `{ $program }` 使用了 `amq.rabbitmq.reply-to`。它不是队列，而是直接回到信道的一条路。
        { $why ->
            [acks] 程序从它消费时没有设置 no_ack。这样的回复不保存在任何地方，因此无从确认。请使用自动确认（no_ack）消费。
            [twice] 程序在同一个信道上第二次从它消费。每个信道只能有一个这样的消费者，它会收到该信道的全部回复。
            [channel] 程序在一个信道上从它消费，却在另一个信道上发布请求。回复只会送到发送请求的信道。请在同一个信道上完成这两件事。
           *[late] 程序先发布了请求，然后才从它消费。请求到达时，代理必须已经知道回去的路。请先消费，再发布。
        } 代理返回 406 PRECONDITION_FAILED，并关闭了信道。

broker-error = 收到代理的错误：{ $code }
    .explanation = 代理对 `{ $program }` { $method ->
            [none] 发送的内容
           *[other] 的 { $method }
        } 返回了错误，并关闭了信道或连接：“{ $text }”。

discarded-publish = 发布时队列还不存在，消息被丢弃
    .explanation = `{ $program }` 向交换机 { $exchange } 发布了 { $count } 条消息，路由键为 `{ $queue }`，而当时没有任何队列能接收，
        代理便悄悄地丢弃了它：没有错误，日志里也没有记录。{ $later ->
            [none] { $similar ->
                [none] 发布之前请先声明队列。
               *[other] 已有一个名为 `{ $similar }` 的队列，你要用的是不是它？发布之前请先声明队列。
            }
           *[other] `{ $later }` 会声明这个队列，但那是在此之后。哪个程序先运行是无法预知的，所以两边都要声明。
        }（如果设置了 `mandatory`，代理会把这样的消息退回来。）

publish-not-flushed = { $cut ->
        [never] 声称发送了消息，却什么也没有发布
       *[other] 消息还没有发出去，程序就结束了
    }
    .explanation = { $cut ->
            [yes] `{ $program }` 开始发送一条消息（basic.publish），但还没有发完，连接就断开了，代理会丢弃这样的消息。
            [never] `{ $program }` 声称已经发送，也正常关闭了连接，但在此之前从未出现 basic.publish：它根本没有要求代理接收消息。
           *[no] `{ $program }` 连接了代理，也声称已经发送，但直到进程结束，basic.publish 都没有出现。
        }{ $cut ->
            [never] 请先发布，再打印你发送的内容。
           *[other] 客户端库是在后台写数据的。请先等待发布完成，再关闭连接并等待关闭完成：connection.close-ok
               一定在此前发送的所有内容之后才到达。
        }

sent-too-early = 还没有连上代理就说已经发送
    .explanation = `{ $program }` 打印了“{ $line }”，{ $opened ->
            [yes] 而那时代理还没有打开它的连接
           *[no] 但始终没有代理为它打开过连接
        }，所以当时不可能已经发出任何消息。请在发布成功返回之后再打印。

other-body = 发布的是 `{ $body }`，而不是 `{ $wanted }`
    .explanation = `{ $program }` 发布的消息体是 `{ $body }`，而应该是 `{ $wanted }`。{ $how ->
            [case] 两者只有大小写不同；消息体是一串字节，`h` 和 `H` 的字节并不一样。
           *[other] 消息体是一串字节，每个字节都算数。
        }途中没有谁会把它们当作相同：请原样发送这些字节，并打印你发送的内容。

unused-queue = 使用了队列 `{ $queue }`，而应该是 `{ $wanted }`
    .explanation = `{ $program }` 使用的队列名是 `{ $queue }`，而应该是 `{ $wanted }`。
        在代理看来，这是两个毫不相干的队列：放进其中一个的消息，永远不会从另一个里出来。名字是逐字节比较的。

queue-purged = 用 { $method } 清掉了 { $count } 条等待中的消息
    .explanation = `{ $program }` 对队列 `{ $queue }` 发送了 { $method }，代理回复说其中有 { $count } 条消息，这些消息已经没有了。
        重复声明已有的队列不会有任何影响，不需要事先清空。

confirm-not-awaited = 没有等到发布者确认就结束了
    .explanation = `{ $program }` 要求了发布者确认（confirm.select）并发布了消息，但还有 { $count } 条消息的确认没有读到就结束了。
        这样它并不知道代理是否收到了这些消息，而确认正是为此而设的。请等到每个确认之后再关闭。

returned-message-ignored = 忽略了被退回的 { $count } 条消息
    .explanation = `{ $program }` 发布时设置了 `mandatory`，由于没有队列接收，代理退回了 { $count } 条消息（basic.return），
        而程序仍然以退出码 0 结束。被退回的消息同样会得到确认，所以必须检查退回的消息：报告出来，或者改发到别处。

confirm-mode-missing = { $later ->
        [yes] 在请求发布者确认之前就发布
       *[no] 没有请求发布者确认就发布
    }
    .explanation = `{ $program }` 在没有进入确认模式的信道上向 `{ $queue }` 发布了 { $count } 条消息。代理对这样的消息不会给出任何答复，
        程序也就无法知道消息的下落。请在第一次 basic.publish 之前发送 confirm.select（lapin：`channel.confirm_select`）。
        否则，lapin 的确认会立即完成，结果是 `NotRequested`。

reported-as-confirmed = { $how ->
        [returned] 把退回的消息说成 `confirmed`
       *[refused] 把被拒绝的消息说成 `confirmed`
    }
    .explanation = { $how ->
            [returned] 代理没有为 `{ $body }` 找到队列，把它退回了（basic.return，312 NO_ROUTE），然后照样确认了它：
                确认只表示代理处理完了这条消息，并不表示有队列收下了它。
           *[refused] 代理没有接受 `{ $body }`：它发送了 basic.nack。没有任何迹象表明有队列收下了这条消息。
        }`{ $program }` 却说它已被确认。{ $how ->
            [returned] 在这样说之前，请把每条退回消息的 message_id 与自己的消息比较。
           *[refused] 请区分 ack 和 nack（lapin：`Confirmation::Ack` 与 `Confirmation::Nack`）。
        }

multiple-ignored = 把针对多条消息的确认当成只针对最后一条
    .explanation = 代理一次确认了 { $count } 条消息：basic.ack 的 multiple = true，标签是最后一条 `{ $body }` 的。
        `{ $program }` 只报告了这一条，还在等待其余的。它们不会再有别的确认了。带有 multiple 的确认代表直到其标签为止的所有消息。

republished-unmarked = { $what ->
        [header] 重新发布时没有带消息头 republished
       *[id] 重新发布时换了 message_id
    }
    .explanation = 在 `{ $body }` 的确认到来之前，连接断开了。`{ $program }` 重新发布了它，{ $what ->
            [header] message_id 相同，却没有消息头 republished = true。
           *[id] 却换了一个 message_id。
        }第一条可能已经在代理那里，于是队列中会有两条。消费者只能靠 message_id 分辨，并靠这个消息头知道什么时候该去分辨。

declared-nothing = 什么都没有声明，全靠别的程序
    .explanation = `{ $program }` 使用队列 `{ $queue }`，却从未声明它。只有别的程序已经先声明过，这样才行得通。哪个程序先运行是无法预知的，
        所以每个程序都要用相同的参数声明这个队列；如果它已经存在，声明不会有任何影响。

queue-not-durable = 声明的队列在代理重启后不复存在
    .explanation = `{ $program }` 把队列 `{ $queue }` 声明为非持久（queue.declare，durable = false）。代理重启之后，这样的队列连同其中的消息都会消失。
        请在每个声明它的程序中都把它声明为持久队列。

message-not-persistent = 发布了 { $count } 条代理重启后就会丢失的消息
    .explanation = `{ $program }` 发布 `{ $body }` 时没有设置 delivery_mode = 2。这样的消息可能只保存在代理的内存里：重启之后持久队列还在，消息却没有了。
        请在发布时把消息属性 delivery_mode 设为 2（持久）。

other-exchange = 使用了交换机 `{ $exchange }`，而应该是 `{ $wanted }`
    .explanation = `{ $program }` 使用的交换机名是 `{ $exchange }`，从未使用过应该用的 `{ $wanted }`。
        在代理看来，这是两个毫不相干的交换机：发布到其中一个的消息，永远不会到达绑定在另一个上的队列。名字是逐字节比较的。

other-routing-key = 发布时用的路由键是 `{ $key }`，而应该是 `{ $wanted }`
    .explanation = `{ $program }` 发布时使用的路由键是 `{ $key }`，而启动它的参数是 `{ $wanted }`。交换机只比较路由键和绑定键，从不查看消息体，
        所以要 `{ $wanted }` 的接收者收不到这条消息。请把第一个参数作为 basic.publish 的路由键。

other-headers = { $what ->
        [bind] 绑定队列
       *[publish] 发布消息
    }时用的消息头与启动参数不同
    .explanation = `{ $program }` { $what ->
            [bind] 发送 queue.bind 时的参数
           *[publish] 发布消息时的消息头
        }{ $found ->
            [none] 为空
           *[other] 是 `{ $found }`
        }，而{ $wanted ->
            [none] 应该没有任何消息头
           *[other] 应该是 `{ $wanted }`
        }。headers 交换机逐个比较名字、值和值的类型：数字 3 不等于文本 "3"。每一对都是表中单独的一项，名字与给出的完全相同。

other-x-match = 绑定时 x-match 为 { $found }，而应该是 { $wanted }
    .explanation = `{ $program }` 发送 queue.bind 时{ $missing ->
            [yes] 没有给出 `x-match`，RabbitMQ 把它当作 `{ $found }`
           *[no] `x-match` 为 `{ $found }`
        }，而它启动时的参数是 `{ $wanted }`。`all` 要求消息具有绑定中的每一对，`any` 只要求至少一对；以 `x-` 开头的名字不算在内
        （RabbitMQ 还有 `all-with-x` 和 `any-with-x`，它们会把这些名字也算上）。请把第一个参数作为绑定的 `x-match`。

left-behind = { $kind ->
        [queue] 留下了队列 `{ $name }`
        [exchange] 留下了交换机 `{ $name }`
       *[binding] 留下了 `{ $name }` 的绑定
    }
    .explanation = `{ $program }` { $kind ->
            [queue] 声明了队列 `{ $name }`，所有程序结束之后它仍然存在。{ $source ->
                [none] 没有人会取走其中的消息。
               *[other] 它绑定在交换机 `{ $source }` 上，会不断积累没有人取走的消息，直到代理耗尽空间。
            }
            [exchange] 声明了交换机 `{ $name }`，所有程序结束之后它仍然存在。
           *[binding] 把 `{ $name }` 绑定到交换机 `{ $source }`，所有程序结束之后这个绑定仍然存在，还在继续转发消息。
        }本章并不需要它。请去掉它，或者让它随程序一起消失：把队列声明为独占或自动删除，把交换机声明为自动删除。

shared-queue = 与另一个订阅者共用一个队列
    .explanation = `{ $program }` 从队列 `{ $queue }` 消费，`{ $other }` 也从这个队列消费。队列中的每条消息只会交给其中一个消费者，
        所以两者都只能收到一部分。交换机是把消息复制到各个队列，而不是各个消费者：请让每个订阅者声明自己的队列（独占，名字留空）并绑定它。

queue-not-exclusive = 消费的队列并不只属于自己
    .explanation = `{ $program }` 声明自己的队列时{ $generated ->
            [yes] 由代理起了名字，但
           *[no] （`{ $queue }`）
        }没有声明为独占。{ $stays ->
            [yes] 这样的队列在程序结束之后仍然存在，继续积累没有人读取的消息，其他连接也都可以使用它。
           *[no] 其他连接也都可以使用它，从中取走消息。
        }
        请把它声明为独占：它就只属于这个连接，无论连接怎样结束，代理都会把它删除。

queue-not-bound = 消费的队列没有绑定到任何交换机
    .explanation = `{ $program }` 声明了一个队列并从中消费，但从未发送 queue.bind。交换机只把消息转给绑定到它的队列。
        请在声明交换机和队列之后，把队列绑定到交换机。

argument-not-bound = 没有用 `{ $argument }` 绑定自己的队列
    .explanation = `{ $program }` 启动时带有参数 `{ $argument }`，但它与交换机 `{ $exchange }` 的绑定用的是别的键：`{ $bound }`。
        队列只能收到与它的某个绑定匹配的消息。请为每个参数各发送一次 queue.bind，以该参数作为路由键。

queue-per-binding = 从绑定到同一个交换机的 { $count } 个队列消费
    .explanation = `{ $program }` 声明了 { $count } 个队列，都绑定到交换机 `{ $exchange }`，并从所有这些队列消费。消息被路由到的每个队列各得到一份，
        所以当两个队列的绑定都匹配时，同一条消息会收到两次；而且两个队列之间的先后顺序没有保证。
        请只声明一个队列，绑定多次：无论有多少个绑定匹配，它都只得到一份。

misdirected-reply = 没有把回复送到请求指定的地方
    .explanation = `{ $program }` 收到的请求中 reply_to 是 `{ $wanted }`，它却发布到了交换机 `{ $exchange }`，路由键为 `{ $key }`。
        请求方在自己的队列上等待，只有默认交换机能按名字找到这个队列。请把回复发布到默认交换机（空字符串），以请求的 reply_to 作为路由键。

reply-without-id = 回复没有带上请求的 correlation_id
    .explanation = `{ $program }` 收到的请求的 correlation_id 是 `{ $wanted }`，它的回复{ $id ->
            [none] 却没有这个属性
           *[other] 中却是 `{ $id }`
        }。请求方无法知道这个回复属于哪次调用。请把请求的 correlation_id 原样放进回复。

ack-before-reply = 回复还没有发出就放走了请求
    .explanation = { $how ->
            [automatic] `{ $program }` 以自动确认方式（no_ack）消费请求：代理一发出 `{ $body }` 就忘记了它。
           *[early] `{ $program }` 先确认了请求 `{ $body }`，然后才发布回复。
        } 如果程序在这中间崩溃，就没有人处理这个请求，请求方会一直等下去。请在同一个连接上先发布回复，再确认请求：代理会按这个顺序处理它们。

reused-correlation-id = { $id ->
        [none] 请求没有 correlation_id
       *[other] 请求的 correlation_id 与另一次调用相同
    }
    .explanation = `{ $program }` 发布的请求{ $id ->
            [none] 没有 correlation_id，因此无法把它的回复与其他消息区分开。
           *[other] 的 correlation_id 是 `{ $id }`，而 `{ $other }` 的请求也是如此。其中一个请求迟到的回复，看起来就像另一个请求的回复。
        } 请给每次调用一个独有的标识，无论是这次运行还是另一次运行，都不与其他调用相同。

foreign-reply = 把属于另一次调用的回复当成了自己的
    .explanation = `{ $program }` 的请求的 correlation_id 是 `{ $wanted }`。后来收到一条{ $id ->
            [none] 没有 correlation_id
           *[other] correlation_id 为 `{ $id }`
        } 的消息，程序却把它的消息体 `{ $body }` 当成了结果。进入回复队列的消息可能是迟到的、重复的或伪造的：
        请把 correlation_id 与自己的请求比较，不同的一律忽略。

unacked-deliveries = 收到的消息中有 { $count } 条一直没有确认
    .explanation = `{ $program }` 以手动确认方式从 `{ $queue }` 消费。它处理完消息之后，没有用 basic.ack、basic.nack 或 basic.reject 答复就继续往下走：
        在 { $all } 次投递中，有 { $count } 次始终没有答复。代理会一直为消费者保留这些消息，信道结束时再把它们放回队列，于是它们会被再次投递。
        请在处理完每条消息之后确认，或者使用自动确认（no_ack）消费。

ack-before-done = 工作还没有做完就确认了
    .explanation = `{ $program }` 在 `{ $body }` 投递之后 { $took } 就确认了它，而这项工作需要 { $work }。一经确认，代理就忘记了这条消息：
        如果程序中途崩溃，这项工作就再也没有人做了。请在工作完成之后再确认。

work-lost = 丢失了代理已经忘记的 { $count } 条消息
    .explanation = `{ $program }` 以自动确认（no_ack）方式从 `{ $queue }` 消费：代理一发出消息就把它忘了。有 { $count } 条消息已经发给程序，
        但程序还没有处理就结束了，这些消息就此丢失。如果不能容忍丢失，请不要使用 no_ack，并在处理完之后逐条确认。

redelivery-loop = 一遍又一遍地把同一条消息放回队列
    .explanation = `{ $program }` 把消息 `{ $body }` 放回队列 `{ $queue }` 共 { $count } 次（带 `requeue` 的 basic.nack 或 basic.reject），而代理每次都立即重新投递。
        现在做不了的事，下一刻同样做不了：这样的循环只会占满处理器和网络，别的消息却无法前进。
        请拒绝而不重新入队（有死信交换机时会进入死信交换机），或者等一段时间再重试。

stopped-early = 本该继续等待，却自己结束了
    .explanation = `{ $program }` 说自己在等待消息，收到 { $count } 条之后就以退出码 0 结束，而并没有人按 Ctrl-C。{ $empty ->
            [yes] basic.get-empty 只表示此刻没有消息，不表示以后也没有。请改用 basic.consume 消费，消息一到，代理就会送来。
           *[no] 请在循环中不断取下一条消息，直到按下 Ctrl-C。
        }

polls = 一遍遍地询问有没有消息，而不是消费
    .explanation = `{ $program }` 用 basic.get 向队列 `{ $queue }` 要消息，到目前为止共 { $count } 次，得到 basic.get-empty 之后仍然继续询问，
        却从未发送 basic.consume。每次询问都要往返一趟，多半是白跑，而消息要等到下一次询问才能取走。请改用 basic.consume
        消费，消息一到，代理就会送来。

died-on-delivery = 收到一条消息之后出错退出
    .explanation = `{ $program }` 收到消息体 `{ $body }`，随后出错退出，而那时连接还开着，也没有人按 Ctrl-C。{ $why ->
            [bytes] 这个消息体不是 UTF-8。消息体只是一串字节，谁都可以发送任意内容：转换成文本时请用不会失败的方法（`String::from_utf8_lossy`）。
            [printed] 那时它已经打印了消息体，所以是之后的某一步出了错：请看标准错误。
           *[text] 谁都可以向队列发送任意内容：一条意料之外的消息不应该让消费者退出。
        }

bytes-printed = 打印的是字节的数字，而不是文本
    .explanation = `{ $program }` 收到消息体 `{ $body }`，打印出来却是“{ $line }”，也就是一列数字。打印之前请先把消息体转换成文本
        （`String::from_utf8_lossy`）。

prefetch-too-late = 开始消费之后才设置预取数
    .explanation = `{ $program }` 在 basic.consume 队列 `{ $queue }` 之后才发送 basic.qos，预取数为 { $prefetch }。预取数只对之后启动的消费者有效，
        所以这个消费者没有预取限制，代理会把所有消息一次性发给它。请先发送 basic.qos。

prefetch-missing = 消费时没有设置预取数
    .explanation = `{ $program }` 以手动确认方式从 `{ $queue }` 消费，却没有设置预取数：无论它多忙，代理都会把现有的消息一次性全部发给它
        （到目前为止 { $count } 条），其他消费者一条也分不到。请在 basic.consume 之前用 basic.qos 设置预取数（任务较慢时设为 1）。

prefetch-global = 为整个信道设置了预取数
    .explanation = `{ $program }` 发送的 basic.qos 带有 `global`。旧版本的代理让信道上的所有消费者共享预取数 { $prefetch }，新版本则悄悄地把它当作每个消费者各自的预取数。
        为了含义明确，请去掉 `global`。

never-connected = 从未连接 `AMQP_ADDR` 中的地址
    .explanation = 代理在环境变量 `AMQP_ADDR` 中的地址上等着 `{ $program }`，而程序从未连接到那里。{ $how ->
            [claims] 它却说自己已经发送或者正在等待，说明它连接的是别处：程序里是不是写死了主机或端口？请使用
                `AMQP_ADDR` 中的完整地址。（需要分开的主机和端口时，见 `RABBITMQ_HOST` 和 `RABBITMQ_PORT`。）
            [well] 它却以退出码 0 结束了：程序里是不是写死了主机或端口，还是没等到连接就结束了？请使用 `AMQP_ADDR` 中的完整地址。
           *[badly] 它在连接之前就出错结束了（{ $ended ->
                [none] 被终止
               *[other] 退出码 { $ended }
            }）：请看看它在标准错误上说了什么。
        }

connection-not-closed = 没有关闭连接就结束了
    .explanation = `{ $program }` 发布了 { $count } 条消息，然后没有发送 connection.close 就结束了：在代理看来，这和崩溃没有区别，
        客户端库尚未写出的内容也会悄无声息地丢失。请关闭连接并等待 connection.close-ok，它一定在此前发送的所有内容之后才到达。

lost-connection-ignored = 连接断了，却若无其事地退出
    .explanation = `{ $program }` 的连接断开了，而这并不是它自己要求的；它却以退出码 0 结束，等于告诉启动它的人一切正常。
        投递的流自行结束，或者某个调用失败，都是错误：请在标准错误上说明，并以非零退出码结束（或者重新连接）。

interrupt-ignored = 按下 Ctrl-C 之后仍在运行
    .explanation = `{ $program }` 收到了 Ctrl-C 的信号（SIGINT），2 秒之后还没有结束。{ $closing ->
            [yes] 那时它已经关闭了连接，所以是别的东西让它无法退出。
           *[no] 它的连接仍然开着。请同时等待 Ctrl-C 和下一条消息，收到信号后离开循环、关闭连接，并从 `main` 返回。
        }

heartbeat-missed = 沉默太久，被代理当作已经死亡
    .explanation = `{ $program }` 同意至少每 { $interval } 秒发送一次数据（connection.tune-ok 中的心跳），却有 { $silent } 秒什么都没有发送。
        于是代理认为它已经死亡，关闭了套接字，所有未确认的消息都会回到队列。如果耗时的工作占住了客户端库所在的线程，心跳就发不出去：请把它放到别处执行。

connection-churn = 不停地新建连接
    .explanation = `{ $program }` 一共打开了 { $count } 个连接，其中 { $burst } 个集中在 { $time } 毫秒之内。建立连接需要登录，也要占用内存，本来就是供长期使用的：
        请在程序运行期间保持一个连接，在上面打开信道。出错之后先等一等再重试，而且每次等得更久一些。

connection-blocked = 被代理阻塞
    .explanation = 代理向 `{ $program }` 发送了 connection.blocked（“{ $reason }”）：它的内存或磁盘空间不足，在发送 connection.unblocked 之前，
        不再读取发布消息的连接。{ $count ->
            [0] 消息没有丢失，但每次发布都要等待。
           *[other] 程序在阻塞期间又发布了 { $count } 条消息，它们都积压在途中。
        }在解除阻塞之前请停止发布，并说明自己正在等待。

unreadable = { $protocol ->
        [tls] 使用的是 TLS，而不是 AMQP 0-9-1
        [amqp-1-0] 使用的是 AMQP 1.0，而不是 0-9-1
        [amqp-0-8] 使用的是 AMQP 0-8，而不是 0-9-1
        [stream] 使用的是 RabbitMQ 的流协议，而不是 AMQP 0-9-1
        [http] 使用的是 HTTP，而不是 AMQP 0-9-1
       *[unknown] 发送的内容不是 AMQP 0-9-1
    }
    .explanation = `{ $program }` 发送的字节不是 AMQP 0-9-1：{ $flaw }。{ $protocol ->
            [tls] 这是 TLS 的开头。请把 `amqps://` 改成 `amqp://`，并在客户端库里关闭 TLS。
            [amqp-1-0] 这是 AMQP 1.0 的开头，那是另一种名字相近的协议。RabbitMQ 4 两种都支持，但本练习册讲的是 0-9-1，请使用支持它的客户端库。
            [amqp-0-8] 这是更早的版本，RabbitMQ 4 已经不再接受。请使用现在的客户端库。
            [stream] 这是 RabbitMQ 流插件的协议，它有自己的端口。流也可以通过 AMQP 0-9-1 读取，请使用支持它的客户端库。
            [http] 这是发给 Web 服务器的请求。管理页面及其 API 的端口与 AMQP 的端口不同。
           *[unknown] 请使用支持 AMQP 0-9-1 的客户端库，并连接给定的端口。
        }连接在此处被切断，这些内容没有到达代理。

frame-too-large = 发送了 { $claimed } 字节的帧，而约定的上限是 { $allowed }
    .explanation = `{ $program }` 发送了一个 { $claimed } 字节的{ $kind ->
            [header] 内容头帧
            [body] 消息体帧
           *[other] 方法帧
        }。打开连接时，双方约定每个帧最多 { $allowed } 字节（connection.tune 和 connection.tune-ok 中的 frame_max）。{ $kind ->
            [header] 一条消息的全部属性和消息头必须放进一个帧：大块数据请放进消息体，客户端库会按需要把消息体拆成多个帧。
            [body] 更长的消息体要分成几个足够小的帧发送，客户端库会自己这样做。
           *[other] 方法连同参数不能拆开，请减少内容。
        }代理遇到这种情况会关闭连接（501 FRAME_ERROR），在这里连接被切断。

negotiation-refused = 用 { $what } = { $chosen } 回答 connection.tune，被代理拒绝
    .explanation = 代理向 `{ $program }` 提议 { $what } = { $proposed }（connection.tune），程序却回答 { $what } = { $chosen }（connection.tune-ok）。{ $what ->
            [channel_max] 可以比提议的小，不能比它大，而 0 表示完全没有上限。
           *[frame_max] 不能大于提议的值，而 0 表示完全没有上限；从 RabbitMQ 4.1 起至少是 8192，之前至少是 4096。
        }RabbitMQ 拒绝时什么也不说：3 秒之后关闭套接字，原因只写在它的日志里。请采用提议的值，或者选一个在这些界限之内的值。

connection-not-opened = 连接还没打开就断开了
    .explanation = `{ $program }` 的连接在代理回答 connection.open-ok 之前就结束了：{ $by ->
            [program] 是程序结束了它
           *[broker] 是代理关闭了套接字
        }{ $after ->
            [none] ，在此之前程序没有发送过任何方法
           *[other] ，程序最后发送的是 { $after }
        }。{ $by ->
            [program] 请看程序在标准错误上说了什么，以及它是否等到连接打开。
           *[broker] 如果客户端 10 秒内什么也不说，或者回答了不被接受的内容，RabbitMQ 就会这样做，而且什么也不说；原因写在它的日志里。
        }

limit-passed = 超过了实验环境的限制：{ $limit }
    .explanation = `{ $program }` 超过了实验环境对单个程序的限制 `{ $limit }`（最多 { $allowed }），连接被切断。没有哪个练习需要这么多，请检查是否有停不下来的循环。
