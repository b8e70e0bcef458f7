#if HTTP
import AsyncHTTPClient
import DiscoCore
import DiscoEventStore
import NIOCore

/// Follows the server's last position over one connection for the whole process, from the first time that somebody
/// waits.
final class RemoteHeads: Sendable {
    private let server: RemoteServer
    private let hub: WakeUpHub
    private let task = Locked<Task<Void, Never>?>(nil)

    init(server: RemoteServer, hub: WakeUpHub) {
        self.server = server
        self.hub = hub
    }

    deinit { task.withLock { $0?.cancel() } }

    /// Starts to follow, if it has not yet.
    func follow() {
        task.withLock { task in
            if task != nil || server.isClosed { return }
            // Not a child of the caller: it serves everyone who waits, until the store is closed.
            task = Task.detached { [server, hub] in await Self.run(server, hub) }
        }
    }

    func close() async {
        let task = task.withLock { $0 }
        task?.cancel()
        await task?.value
    }

    @concurrent private static func run(_ server: RemoteServer, _ hub: WakeUpHub) async {
        var failures = 0
        var trouble = server.trouble
        while !Task.isCancelled, !server.isClosed {
            do {
                let body = try await server.stream(.init(.get, ["head"]), accept: "application/x-ndjson")
                trouble.ends("can be followed again")
                var lines = LineBuffer()
                for try await bytes in body {
                    failures = 0
                    try lines.add(bytes)
                    while let line = lines.next() {
                        guard let head = try line.value()["head"]?.integer else { continue }
                        hub.advance(to: Position(rawValue: Int64(head)))
                    }
                }
                // The server drains, or something between ended the answer.
                failures = max(1, failures)
            } catch is CancellationError {
                return
            } catch {
                failures += 1
                // Notes what the connection reports in the middle of the stream; a refusal is noted here.
                let failure = error as? RemoteFailure ?? (try? server.failure(error))
                if let failure, !failure.isLoss {
                    trouble.begins("cannot be followed: its new events are noticed late or not at all", failure.error)
                }
            }
            let usual = min(Duration.seconds(2), .milliseconds(50) * (1 << min(max(0, failures - 1), 6)))
            try? await server.context.sleep(for: usual * (1 - 0.2 * server.context.random()))
        }
    }
}

/// Cuts what arrives into lines.
struct LineBuffer {
    private var buffer = ByteBuffer()
    /// A line of the server is much shorter.
    private static let mostBytes = 1 << 20

    /// - Throws: ``EventStoreError`` if there is a line that is too long.
    mutating func add(_ bytes: ByteBuffer) throws {
        guard buffer.readableBytes < Self.mostBytes else {
            throw EventStoreError(.unavailable, "The event store server sent a line that is too long.")
        }
        buffer.writeImmutableBuffer(bytes)
    }

    /// The next complete line.
    mutating func next() -> JSONText? {
        guard let end = buffer.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        let line = buffer.readBytes(length: end - buffer.readerIndex) ?? []
        buffer.moveReaderIndex(forwardBy: 1)
        buffer.discardReadBytes()
        return JSONText(unchecked: line)
    }
}
#endif
