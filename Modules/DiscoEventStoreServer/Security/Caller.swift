#if HTTP
import DiscoHTTPSupport
import HTTPTypes

/// Who sends a request, and what it may do.
package struct Caller: Sendable {
    /// The name of the token, for logs and idempotency keys.
    package var name = "anonymous"
    /// The beginnings of the names of the streams that it may use; empty for all streams.
    package var prefixes: [String] = []
    package var scopes = Set(AccessScope.allCases)
    /// The token that it presented, if the server has tokens.
    var token: AccessToken?

    /// Refuses a caller that may not use all streams.
    ///
    /// - Parameter what: what only others may do, to complete a sentence.
    func requireAllStreams(to what: String) throws {
        guard prefixes.isEmpty else {
            throw Problem(
                .forbidden, "not_for_prefixes",
                "A token with stream prefixes cannot \(what). Use a token without prefixes.")
        }
    }
}
#endif
