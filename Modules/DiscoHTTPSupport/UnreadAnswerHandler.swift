#if HTTP
import DiscoCore
import Foundation
import NIOCore
import NIOHTTPTypes

/// Closes a connection whose caller has not read its answer for too long, so that it holds no memory for ever.
final class UnreadAnswerHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let limit: TimeAmount
    private var closing: Scheduled<Void>?

    init(limit: Duration) { self.limit = TimeAmount(clamping: limit) }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        closing?.cancel()
        closing = nil
        if !context.channel.isWritable {
            let channel = context.channel
            closing = context.eventLoop.scheduleTask(in: limit) {
                // Without this, the kernel would keep what is not read for minutes.
                let discarding = linger(l_onoff: 1, l_linger: 0)
                _ = (channel as? any SocketOptionProvider)?.setSoLinger(discarding)
                channel.close(promise: nil)
            }
        }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        closing?.cancel()
        closing = nil
        context.fireChannelInactive()
    }
}

extension TimeAmount {
    init(clamping time: Duration) { self = .nanoseconds(Int64(clamping: Int(time.bounded / .nanoseconds(1)))) }
}
#endif
