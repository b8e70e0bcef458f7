#if HTTP
import DiscoCore
import Foundation
import NIOCore
import NIOSSL

/// The certificate and key of a server, which can be read again while it runs.
final class ReloadableTLS: Sendable {
    private struct Loaded: Sendable {
        var chain: [NIOSSLCertificate]
        var key: NIOSSLPrivateKey
    }

    private let files: EventStoreServer.TLSFiles
    private let loaded: Locked<Loaded>

    init(_ files: EventStoreServer.TLSFiles) throws {
        self.files = files
        loaded = Locked(try Self.load(files))
    }

    func reload() throws {
        let new = try Self.load(files)
        loaded.withLock { $0 = new }
    }

    var configuration: TLSConfiguration {
        get throws {
            let now = loaded.withLock { $0 }
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: now.chain.map { .certificate($0) }, privateKey: .privateKey(now.key))
            configuration.minimumTLSVersion = .tlsv12
            if let authorities = files.clientAuthorities {
                configuration.trustRoots = .certificates(try Self.certificates(authorities))
                configuration.certificateVerification = .noHostnameVerification
            }
            // Asked for each connection, so that a new certificate is used without a restart.
            configuration.sslContextCallback = { [loaded] _, promise in
                let now = loaded.withLock { $0 }
                var override = NIOSSLContextConfigurationOverride.noChanges
                override.certificateChain = now.chain.map { .certificate($0) }
                override.privateKey = .privateKey(now.key)
                promise.succeed(override)
            }
            return configuration
        }
    }

    private static func load(_ files: EventStoreServer.TLSFiles) throws -> Loaded {
        let chain = try certificates(files.certificate)
        do {
            return Loaded(chain: chain, key: try NIOSSLPrivateKey(file: files.privateKey, format: .pem))
        } catch {
            throw EventStoreError(
                .configuration,
                "Cannot read the private key \(files.privateKey). It must be a PEM file without a passphrase.")
        }
    }

    private static func certificates(_ path: String) throws -> [NIOSSLCertificate] {
        guard let certificates = try? NIOSSLCertificate.fromPEMFile(path), !certificates.isEmpty else {
            throw EventStoreError(
                .configuration,
                "Cannot read the certificates \(path). It must be a PEM file with at least one certificate.")
        }
        return certificates
    }
}
#endif
