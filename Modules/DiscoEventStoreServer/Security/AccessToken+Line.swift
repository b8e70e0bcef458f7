#if HTTP
import DiscoCore
import DiscoHTTPSupport
import Foundation

/// The text form: `name sha256:<64 hexadecimal digits> read,append prefix=wallet- expires=2027-01-01T00:00:00Z`.
///
/// `prefix=` may occur several times; in it, all bytes but letters, digits, `-`, `.`, `_` and `~` are written as `%XX`,
/// so that a prefix is never changed by an editor or by Unicode normalization.
extension AccessToken {
    /// The line of the token for a tokens file. It contains the hash of the secret, from which nobody learns the secret.
    public var line: String {
        let scopes = AccessScope.allCases.filter(scopes.contains).map(\.rawValue).joined(separator: ",")
        return
            (["\(name) sha256:\(Secret.digits(of: hash)) \(scopes)"]
            + prefixes.map { "prefix=" + PercentEncoding.encode($0) }
            + (expires.flatMap { Timestamp.text(of: $0) }.map { ["expires=" + $0] } ?? []))
            .joined(separator: " ")
    }

    /// What is wrong with a line. It quotes nothing of the line.
    struct Fault: Error {
        let text: String
        init(_ text: String) { self.text = text }
    }

    /// The tokens in a text with one token a line. Semicolons end a token too, for environment variables. Lines that
    /// begin with `#` are comments.
    ///
    /// - Parameter place: where the text is from, for the message: for example, `The tokens file /etc/tokens`.
    /// - Throws: `EventStoreError` with code `configuration` and the number of the line.
    static func list(in text: String, _ place: String) throws -> [AccessToken] {
        var tokens: [AccessToken] = []
        var number = 0
        for line in text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            if line.first(where: { !isBlank($0) }) == UInt8(ascii: "#") { continue }
            for part in line.split(separator: UInt8(ascii: ";")) where !part.allSatisfy(isBlank) {
                do throws(Fault) {
                    let token = try AccessToken(line: part)
                    try token.requireDistinct(from: tokens)
                    tokens.append(token)
                } catch {
                    throw EventStoreError(.configuration, "\(place) is invalid in line \(number): \(error.text).")
                }
            }
        }
        return tokens
    }

    private init(line: Substring.UTF8View) throws(Fault) {
        guard line.allSatisfy({ (0x20...0x7E).contains($0) || $0 == 0x09 || $0 == 0x0D }) else {
            throw Fault("it contains a character that is not ASCII; write the bytes of prefixes as %XX")
        }
        var fields = line.split(whereSeparator: Self.isBlank)[...]
        guard let name = fields.popFirst(), let hash = fields.popFirst(), let scopes = fields.popFirst() else {
            throw Fault("a token needs a name, a hash and scopes, separated by spaces")
        }
        var (prefixes, expires): ([String], Date?) = ([], nil)
        for field in fields {
            let value = Substring(field.drop { $0 != UInt8(ascii: "=") }.dropFirst())
            switch String(Substring(field.prefix { $0 != UInt8(ascii: "=") })) {
            case "prefix":
                guard let prefix = PercentEncoding.decode(value) else {
                    throw Fault("a prefix has an incomplete %XX, or its bytes are not UTF-8")
                }
                prefixes.append(prefix)
            case "expires":
                guard expires == nil, let date = Timestamp.date(from: String(value)) else {
                    throw Fault("expires must occur once, as a date like 2027-01-01T00:00:00Z")
                }
                expires = date
            default: throw Fault("behind the scopes, only prefix= and expires= are known")
            }
        }
        self.init(
            name: String(Substring(name)), scopes: try Self.scopes(scopes), prefixes: prefixes, expires: expires,
            hash: try Self.hash(hash))
        if let fault { throw Fault(fault) }
    }

    /// Tokens of one name share their idempotency keys, so none may allow streams that another does not.
    private func requireDistinct(from others: [AccessToken]) throws(Fault) {
        if others.contains(where: { Secret.areEqual($0.hash, hash) }) { throw Fault("the hash occurs twice") }
        if others.contains(where: { $0.name == name && !$0.hasSamePrefixes(as: self) }) {
            throw Fault("there is a token of the same name with other prefixes; use another name")
        }
    }

    private static func scopes(_ text: Substring.UTF8View) throws(Fault) -> Set<AccessScope> {
        var scopes: Set<AccessScope> = []
        for name in text.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            guard let scope = AccessScope(rawValue: String(Substring(name))) else {
                throw Fault("the scopes must be some of \(scopeNames), separated by commas without spaces")
            }
            scopes.insert(scope)
        }
        return scopes
    }

    private static func hash(_ text: Substring.UTF8View) throws(Fault) -> [UInt8] {
        let mark = "sha256:"
        let digits = text.dropFirst(mark.utf8.count)
        guard text.starts(with: mark.utf8), digits.count == 64 else { throw Fault(needsHash) }
        var hash: [UInt8] = []
        var rest = digits
        while let high = rest.popFirst(), let low = rest.popFirst() {
            guard let high = high.hexadecimalDigit, let low = low.hexadecimalDigit else {
                throw Fault(needsHash)
            }
            hash.append(high << 4 | low)
        }
        return hash
    }

    private static let needsHash =
        "behind the name must be the hash that `EventStoreApp tokens create` prints: sha256: and 64 hexadecimal digits"

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
}
#endif
