#if HTTP
import DiscoCore
import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Closes a connection on which the rest of a request that is answered already keeps coming, for example a body that is
/// too large; and lets a caller that asks for permission send its body.
final class UnfinishedRequestHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let limit: TimeAmount
    /// The numbers of requests that have begun, that have come to their end, and that are answered.
    private var (begun, ended, answered) = (0, 0, 0)
    private var closing: Scheduled<Void>?

    /// - Parameter limit: how long a caller may go on sending. Closing at once could lose the answer on its way.
    init(limit: Duration) { self.limit = TimeAmount(clamping: limit) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let request):
            // Between two answers only: within one, it would be a part of it.
            if begun == answered, request.headerFields[.expect]?.lowercased() == "100-continue" {
                context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
            }
            begun += 1
        case .body: break
        case .end:
            ended += 1
            if ended >= answered { cancel() }
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) {
            answered += 1
            if ended < answered, closing == nil {
                let channel = context.channel
                closing = context.eventLoop.scheduleTask(in: limit) { channel.close(promise: nil) }
            }
        }
        context.write(data, promise: promise)
    }

    func channelInactive(context: ChannelHandlerContext) {
        cancel()
        context.fireChannelInactive()
    }

    private func cancel() {
        closing?.cancel()
        closing = nil
    }
}
#endif
