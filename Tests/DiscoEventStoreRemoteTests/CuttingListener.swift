#if HTTP
import DiscoCore
import Foundation

/// Accepts connections on a port of its own, and ends each as soon as the client has sent something.
final class CuttingListener: Sendable {
    let port: Int
    private let descriptor: Int32
    private let state = Locked(0)

    /// How many connections were ended.
    var cuts: Int { state.withLock { $0 } }

    init() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, length) == 0 && listen(descriptor, 16) == 0
                    && getsockname(descriptor, pointer, &length) == 0
            }
        }
        guard isBound else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        self.descriptor = descriptor
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [state] in
            while true {
                let connection = accept(descriptor, nil, nil)
                if connection < 0 { break }
                var byte: UInt8 = 0
                _ = recv(connection, &byte, 1, 0)
                state.withLock { $0 += 1 }
                _ = shutdown(connection, Int32(SHUT_WR))
                while recv(connection, &byte, 1, 0) > 0 {}
                close(connection)
            }
            close(descriptor)
        }
    }

    deinit { _ = shutdown(descriptor, Int32(SHUT_RDWR)) }
}
#endif
