#if HTTP
import Crypto
import DiscoCore
import DiscoHTTPSupport
public import Foundation

/// A token as the server knows it: what it allows, and the hash of its secret, but not the secret.
///
/// ```swift
/// let (token, secret) = try AccessToken.make(name: "web", scopes: [.read, .append], prefixes: ["wallet-"])
/// print(secret)  // the only time that it can be shown
/// settings.tokens = try AccessTokens([token])
/// ```
///
/// The secret is random and has 256 bits, so a plain SHA-256 hash of it cannot be reversed by guessing. Hashes of
/// secrets of another form are never accepted.
public struct AccessToken: Sendable {
    /// Whom the token is for. Several tokens may have one name, so that a new one can replace an old one while both
    /// are in use; they share their idempotency keys and their rate.
    public let name: String
    public let scopes: Set<AccessScope>
    /// The beginnings of the names of the streams that the token allows, compared byte by byte; empty for all streams.
    ///
    /// `wallet-` is one category. `wallet` without the hyphen would also allow `wallets-1`.
    public let prefixes: [String]
    /// When the token stops being valid; `nil` for never.
    public let expires: Date?
    /// The SHA-256 hash of the secret: 32 bytes.
    let hash: [UInt8]

    /// Makes a token with a new random secret.
    ///
    /// - Parameters:
    ///   - name: letters, digits, `.`, `_` and `-`; at most 64.
    ///   - scopes: what the token allows; at least one scope.
    ///   - prefixes: the beginnings of the names of the streams that it allows; empty for all streams.
    ///   - expires: when it stops being valid; `nil` for never.
    /// - Returns: the token for the server, and the secret for the caller, which cannot be shown again.
    /// - Throws: `EventStoreError` with code `invalid_argument`.
    public static func make(
        name: String, scopes: Set<AccessScope>, prefixes: [String] = [], expires: Date? = nil
    ) throws -> (token: AccessToken, secret: String) {
        let secret = Secret.random()
        let token = AccessToken(
            name: name, scopes: scopes, prefixes: prefixes, expires: expires, hash: Secret.hash(secret.utf8))
        if let fault = token.fault { throw EventStoreError(.invalidArgument, "Cannot make the token: \(fault).") }
        return (token, secret)
    }

    /// Whether the token is no longer valid at a time.
    public func isExpired(at date: Date) -> Bool { expires.map { $0 <= date } ?? false }

    /// What is wrong with the token, to complete a sentence; never quotes anything, because what stands in the wrong
    /// place may be a secret.
    var fault: String? {
        let isName = { (byte: UInt8) in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || ".-_".utf8.contains(byte)
        }
        guard (1...64).contains(name.utf8.count), name.utf8.allSatisfy(isName) else {
            return "its name must have 1 to 64 letters, digits, dots, hyphens or underscores"
        }
        if Secret.hasForm(name.utf8) { return "its name is a secret; the secret must not be stored" }
        if scopes.isEmpty { return "it needs at least one scope: \(Self.scopeNames)" }
        if prefixes.count > StreamPrefixes.most { return "it has more than \(StreamPrefixes.most) prefixes" }
        if let expires, Timestamp.text(of: expires) == nil { return "its expiry must lie in the years 0 to 9999" }
        return prefixes.lazy.compactMap(StreamPrefixes.fault).first
    }

    static let scopeNames = AccessScope.allCases.map(\.rawValue).joined(separator: ", ")
}

extension AccessToken: Hashable {
    // Compared by bytes, as stream names are.
    public static func == (one: AccessToken, other: AccessToken) -> Bool {
        one.hash == other.hash && one.name == other.name && one.scopes == other.scopes
            && one.hasSamePrefixes(as: other) && one.expires == other.expires
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(hash) }

    func hasSamePrefixes(as other: AccessToken) -> Bool {
        Set(prefixes.map { ExactText($0) }) == Set(other.prefixes.map { ExactText($0) })
    }
}

extension AccessToken: CustomStringConvertible, CustomReflectable {
    /// The name: a hash has no place in a log.
    public var description: String { "the token \(name)" }
    public var customMirror: Mirror { Mirror(self, children: ["name": name]) }
}

/// The text form of secrets: `disco_` and 32 random bytes in base64 for URLs.
enum Secret {
    private static let prefix = Array("disco_".utf8)
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    static func random() -> String {
        // The system's generator is a cryptographic one.
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        let text = Data(bytes).base64EncodedString().utf8.prefix { $0 != UInt8(ascii: "=") }
            .map { byte in
                switch byte {
                case UInt8(ascii: "+"): UInt8(ascii: "-")
                case UInt8(ascii: "/"): UInt8(ascii: "_")
                default: byte
                }
            }
        return String(decoding: prefix + text, as: UTF8.self)
    }

    /// Whether a text may be a secret at all. Others are refused unhashed.
    static func hasForm(_ bytes: some Collection<UInt8>) -> Bool {
        bytes.count == prefix.count + 43 && bytes.starts(with: prefix)
            && bytes.dropFirst(prefix.count).allSatisfy(alphabet.contains)
    }

    static func hash(_ bytes: some Sequence<UInt8>) -> [UInt8] { Array(SHA256.hash(data: Array(bytes))) }

    /// A hash in hexadecimal digits.
    static func digits(of hash: [UInt8]) -> String {
        hash.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// Compares two hashes in a time that does not depend on where they differ.
    static func areEqual(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        guard one.count == other.count else { return false }
        var difference: UInt8 = 0
        for index in one.indices { difference |= one[index] ^ other[index] }
        return difference == 0
    }
}
#endif
