#if HTTP
import DiscoCore
import DiscoHTTPSupport
import Foundation
import HTTPTypes

/// The tokens that may use a server.
///
/// A tokens file has one token a line, as `EventStoreApp tokens create` writes them, and comments that begin with `#`:
///
/// ```
/// # The web shop. Both tokens are valid until the old one is removed.
/// web sha256:5e88… read,append prefix=wallet- prefix=order-
/// web sha256:9f86… read,append prefix=wallet- prefix=order- expires=2027-01-01T00:00:00Z
/// ```
///
/// It contains no secrets, so others may read it. It is refused if everyone on the machine may write it.
public struct AccessTokens: Sendable {
    /// No tokens: everyone who reaches the server may use it.
    public static let none = AccessTokens(list: nil)

    private let list: List?

    private init(list: List?) { self.list = list }

    /// Reads a tokens file.
    ///
    /// - Parameters:
    ///   - file: the path of the file.
    ///   - requestsPerSecond: how many requests the tokens of each name may send; 0 for no limit.
    /// - Throws: `EventStoreError` with code `configuration` if the file cannot be read, contains a line that is not a
    ///   token, or contains no tokens.
    public init(file: String, requestsPerSecond: Int = 0) throws {
        list = List(try Self.read(file), file: file, requestsPerSecond)
    }

    /// Reads the same content from a text, for example an environment variable. Semicolons may replace line ends.
    ///
    /// - Throws: `EventStoreError` with code `configuration`.
    public init(text: String, requestsPerSecond: Int = 0) throws {
        let tokens = try AccessToken.list(in: text, "The list of tokens")
        try Self.requireSome(tokens, "The list of tokens", "EventStoreApp tokens create")
        list = List(tokens, file: nil, requestsPerSecond)
    }

    /// - Throws: `EventStoreError` with code `configuration` if there are no tokens, or two of the same name have other
    ///   prefixes.
    public init(_ tokens: [AccessToken], requestsPerSecond: Int = 0) throws {
        try self.init(text: tokens.map(\.line).joined(separator: "\n"), requestsPerSecond: requestsPerSecond)
    }

    /// Whether the server has no tokens, so that everyone may use it.
    public var isEmpty: Bool { list == nil }

    /// The tokens, with those that have expired.
    public var tokens: [AccessToken] { list?.tokens ?? [] }

    /// Reads the file again. A token that is no longer in it is refused from now on, and its followers are ended.
    ///
    /// - Throws: `EventStoreError` with code `configuration`; then the old tokens stay in use.
    public func reload() throws {
        guard let list, let file = list.file else { return }
        list.replace(try Self.read(file))
    }

    /// Adds a token to a file, which is created for its owner only if it does not exist.
    ///
    /// - Throws: `EventStoreError` with code `configuration` if the file cannot be written, or is not a tokens file.
    public static func add(_ token: AccessToken, toFile path: String) throws {
        let present = FileManager.default.fileExists(atPath: path) ? try text(of: path) : ""
        let end = present.isEmpty || present.utf8.last == UInt8(ascii: "\n") ? "" : "\n"
        _ = try AccessToken.list(in: present + end + token.line, "With the new token, the tokens file \(path)")
        let file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        var bytes = Array((end + token.line + "\n").utf8)
        let written = file < 0 ? -1 : write(file, &bytes, bytes.count)
        let reason = String(cString: strerror(errno))
        if file >= 0 { close(file) }
        guard written == bytes.count else {
            throw EventStoreError(.configuration, "Cannot write the tokens file \(path): \(reason).")
        }
    }

    /// The tokens of a file, which need not contain any.
    public static func list(inFile path: String) throws -> [AccessToken] {
        try AccessToken.list(in: try text(of: path), "The tokens file \(path)")
    }

    private static func read(_ path: String) throws -> [AccessToken] {
        let tokens = try list(inFile: path)
        try requireSome(tokens, "The tokens file \(path)", "EventStoreApp tokens create --file \(path)")
        return tokens
    }

    private static func requireSome(_ tokens: [AccessToken], _ place: String, _ command: String) throws {
        guard !tokens.isEmpty else {
            throw EventStoreError(
                .configuration,
                "\(place) contains no tokens, so nobody could use the server. Create one with `\(command)`.")
        }
    }

    private static func text(of path: String) throws -> String {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw EventStoreError(
                .configuration,
                "Cannot read the tokens file \(path). It must exist and be readable for the user of this process.")
        }
        let target = URL(filePath: path).resolvingSymlinksInPath().path
        let permissions = try? FileManager.default.attributesOfItem(atPath: target)[.posixPermissions] as? Int
        guard (permissions ?? 0) & 0o002 == 0 else {
            throw EventStoreError(
                .configuration,
                "Everyone on this machine may write the tokens file \(path), and so add a token. Run `chmod o-w` on it."
            )
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw EventStoreError(.configuration, "The tokens file \(path) is not UTF-8 text.")
        }
        return text
    }
}

extension AccessTokens {
    /// The tokens in use, which can be replaced, and what is remembered of their requests.
    private final class List: Sendable {
        private struct State: Sendable {
            var tokens: [AccessToken]
            var buckets: [String: RateLimit.Bucket] = [:]
        }

        let file: String?
        private let limit: RateLimit?
        private let state: Locked<State>

        init(_ tokens: [AccessToken], file: String?, _ requestsPerSecond: Int) {
            self.file = file
            limit = RateLimit(requestsPerSecond: requestsPerSecond)
            state = Locked(State(tokens: tokens))
        }

        var tokens: [AccessToken] { state.withLock { $0.tokens } }

        func replace(_ tokens: [AccessToken]) {
            state.withLock { state in
                state.tokens = tokens
                let names = Set(tokens.map(\.name))
                state.buckets = state.buckets.filter { names.contains($0.key) }
            }
        }

        func wait(_ name: String, at now: Duration) -> Duration? {
            guard let limit else { return nil }
            return state.withLock { limit.wait(at: now, &$0.buckets[name, default: RateLimit.Bucket()]) }
        }
    }

    /// Who sends a request.
    ///
    /// - Parameters:
    ///   - header: the request's `Authorization`.
    ///   - scope: what the request needs; `nil` if it needs no token.
    ///   - now: monotonic time, for the rate limit.
    ///   - date: the time by which tokens expire.
    /// - Throws: ``Problem`` with status 401, 403 or 429.
    func caller(presenting header: String?, scope: String?, now: Duration, date: Date) throws -> Caller {
        guard let list else { return Caller() }
        // Nothing that needs no token touches the store; if it ever did, this caller could do nothing there.
        guard let scope else { return Caller(scopes: []) }
        guard let header else {
            throw Self.unauthenticated(
                "This server needs a token. Send it in the header Authorization: Bearer, a space, and the token.",
                challenge: #"Bearer realm="disco""#)
        }
        let refused = #"Bearer realm="disco", error="invalid_token""#
        guard let secret = Self.secret(in: header), let token = Self.token(of: secret, among: list.tokens) else {
            throw Self.unauthenticated("The server does not know this token.", challenge: refused)
        }
        guard !token.isExpired(at: date) else {
            throw Self.unauthenticated("This token has expired. Ask for a new one.", challenge: refused)
        }
        if let wait = list.wait(token.name, at: now) {
            let seconds = max(1, Int((wait / .seconds(1)).rounded(.up)))
            throw Problem(
                .tooManyRequests, "rate_limited",
                "The token has sent too many requests. Try again in \(seconds) s.",
                headers: [.retryAfter: "\(seconds)"])
        }
        guard AccessScope(rawValue: scope).map(token.scopes.contains) ?? false else {
            throw Problem(
                .forbidden, "missing_scope", "The token does not have the scope \(scope), which this request needs.",
                data: ["scope": .string(scope)])
        }
        return Caller(name: token.name, prefixes: token.prefixes, scopes: token.scopes, token: token)
    }

    /// Whether a caller that was allowed to do something may go on: its token is unchanged and has not expired.
    func stillAllows(_ caller: Caller, at date: Date) -> Bool {
        guard let list else { return true }
        guard let token = caller.token, !token.isExpired(at: date) else { return false }
        return list.tokens.contains(token)
    }

    private static func unauthenticated(_ message: String, challenge: String) -> Problem {
        Problem(.unauthorized, "not_authenticated", message, headers: [.wwwAuthenticate: challenge])
    }

    /// The secret in an Authorization header; `nil` if it has no secret of the known form. Several headers arrive as
    /// one, separated by commas, and are refused by their form.
    private static func secret(in header: String) -> [UInt8]? {
        let bytes = Array(header.utf8)
        let scheme = Array("bearer ".utf8)
        guard bytes.count <= 256, bytes.count > scheme.count,
            zip(bytes, scheme).allSatisfy({ $0 == $1 || ($0 | 0x20 == $1 && $1 != 0x20) })
        else { return nil }
        let secret = Array(bytes.drop { $0 != UInt8(ascii: " ") }.drop { $0 == UInt8(ascii: " ") })
        return Secret.hasForm(secret) ? secret : nil
    }

    /// The token of a secret. All are compared, so that the time does not tell which one it was.
    private static func token(of secret: [UInt8], among tokens: [AccessToken]) -> AccessToken? {
        let hash = Secret.hash(secret)
        var found: AccessToken?
        for token in tokens where Secret.areEqual(token.hash, hash) { found = token }
        return found
    }
}
#endif
