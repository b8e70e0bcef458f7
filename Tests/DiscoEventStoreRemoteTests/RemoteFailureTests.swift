#if HTTP
import DiscoCore
import NIOSSL
import Testing

@testable import DiscoEventStoreRemote

/// What a broken connection means for the request that used it.
@Suite struct RemoteFailureTests {
    @Test(
        arguments: [
            // The server went away before anything was sent, or afterwards.
            (.handshakeFailed(.sslError([.eofDuringHandshake])), true, false),
            (.handshakeFailed(.syscallError), true, false),
            (.uncleanShutdown, true, true),
            // It is not the server that the certificates are for.
            (.handshakeFailed(.sslError([])), false, false), (.unableToValidateCertificate, false, false),
        ] as [(NIOSSLError, Bool, Bool)])
    func onlyARefusedCertificateIsFinal(error: NIOSSLError, isTransient: Bool, mayHaveHappened: Bool) {
        let failure = RemoteFailure(connection: error, "https://x")
        #expect(failure.isTransient == isTransient)
        #expect(failure.mayHaveHappened == mayHaveHappened)
        #expect(failure.isLoss)
    }

    /// Behind the handshake, a request may have been sent: a record that cannot be decrypted leaves it in doubt.
    @Test func aFailureOfTLSInTheMiddleLeavesTheRequestInDoubt() {
        #expect(RemoteFailure(connection: BoringSSLError.sslError([]), "https://x").mayHaveHappened)
    }
}
#endif
