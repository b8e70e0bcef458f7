#if HTTP
import DiscoCore
@testable import DiscoEventStoreServer
import DiscoHTTPSupport
import Foundation
import HTTPTypes
import TestSupport
import Testing

/// Tokens: how they are made, written, read, and recognized.
@Suite struct AccessTokensTests {
    var date: Date { Date(timeIntervalSince1970: 1_800_000_000) }

    func caller(
        _ tokens: AccessTokens, _ header: String?, scope: String? = "read", now: Duration = .zero, at date: Date? = nil
    ) -> Result<Caller, Problem> {
        do {
            return .success(
                try tokens.caller(presenting: header, scope: scope, now: now, date: date ?? self.date))
        } catch let problem as Problem {
            return .failure(problem)
        } catch {
            Issue.record(error)
            return .failure(Problem(error))
        }
    }

    func problem(
        _ tokens: AccessTokens, _ header: String?, scope: String? = "read", now: Duration = .zero, at date: Date? = nil
    ) -> Problem? {
        guard case .failure(let problem) = caller(tokens, header, scope: scope, now: now, at: date) else { return nil }
        return problem
    }

    func configurationError(_ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch let error as EventStoreError where error.code == .configuration {
            return error.message
        } catch {
            return "another error: \(error)"
        }
    }

    @Test func aSecretHasItsFormAnd256RandomBits() throws {
        let secrets = try (0..<200).map { _ in try AccessToken.make(name: "a", scopes: [.read]).secret }
        #expect(Set(secrets).count == 200)
        for secret in secrets {
            #expect(secret.hasPrefix("disco_"))
            #expect(secret.utf8.count == 49)
            #expect(secret.dropFirst(6).utf8.allSatisfy { "-_".utf8.contains($0) || isalnum(Int32($0)) != 0 })
        }
        // Every character of the alphabet occurs, the two of URLs too.
        #expect(Set(secrets.flatMap { $0.dropFirst(6) }).count == 64)
    }

    @Test func aTokenReadsBackFromItsLine() throws {
        let prefixes = ["wallet-", "a-\u{E9}", "a-e\u{301}", "a- ;#,%=", "a-\u{10FFFF}", "order"]
        for expires in [nil, date] {
            let (token, secret) = try AccessToken.make(
                name: "web.1_x-y", scopes: [.read, .append], prefixes: prefixes, expires: expires)
            #expect(token.line.utf8.allSatisfy { (0x20...0x7E).contains($0) && $0 != UInt8(ascii: ";") })
            #expect(!token.line.contains(secret))
            let back = try AccessToken.list(in: "\r\n# x; y\n \(token.line) \r\n", "The text")
            #expect(back == [token])
            #expect(back[0].prefixes.map { ExactText($0) } == prefixes.map { ExactText($0) })
        }
    }

    @Test func hashesAreSHA256OfTheSecret() {
        // The first test vector of FIPS 180-2.
        let hash = Secret.hash("abc".utf8)
        #expect(hash.prefix(4) == [0xba, 0x78, 0x16, 0xbf])
        #expect(hash.count == 32)
        #expect(Secret.areEqual(hash, Secret.hash("abc".utf8)))
        for index in hash.indices {
            var other = hash
            other[index] ^= 1
            #expect(!Secret.areEqual(hash, other))
        }
        #expect(!Secret.areEqual(hash, []))
        #expect(!Secret.areEqual(hash, Array(hash.dropLast())))
    }

    /// No early exit: neither by where two hashes differ, nor by which token it is.
    @Test func theComparisonTakesAsLongWhereverHashesDiffer() {
        let hash = [UInt8](repeating: 7, count: 32)
        func time(differingAt index: Int) -> Duration {
            var other = hash
            other[index] = 8
            var best = Duration.seconds(1)
            for _ in 0..<20 {
                let start = ContinuousClock.now
                var equal = 0
                for _ in 0..<2000 where Secret.areEqual(hash, other) { equal += 1 }
                best = min(best, start.duration(to: .now))
                #expect(equal == 0)
            }
            return best
        }
        let (first, last) = (time(differingAt: 0), time(differingAt: 31))
        // An early exit would differ by a factor of ten and more.
        #expect(first / last > 0.33 && first / last < 3)
    }

    private static let hash = String(repeating: "0a", count: 32)

    @Test(arguments: [
        ("web", "a name, a hash and scopes"), ("web read", "a name, a hash and scopes"),
        ("web sha256:\(hash)", "a name, a hash and scopes"), ("web sha256:\(hash) reed", "scopes must be some of"),
        ("web sha256:\(hash) read,", "scopes must be some of"), ("web sha256:\(hash) read, append", "only prefix= and"),
        ("web sha256:\(hash.dropLast()) read", "64 hexadecimal digits"), ("web \(hash) read", "64 hexadecimal digits"),
        ("web sha256:\(hash)0 read", "64 hexadecimal digits"),
        ("web sha256:\(hash.dropLast())g read", "64 hexadecimal digits"),
        ("web md5:\(hash) read", "64 hexadecimal digits"), ("w/b sha256:\(hash) read", "its name must"),
        ("\(String(repeating: "n", count: 65)) sha256:\(hash) read", "its name must"),
        ("web sha256:\(hash) read prefix=", "a prefix is empty"),
        ("web sha256:\(hash) read prefix", "a prefix is empty"),
        ("web sha256:\(hash) read prefix=%00", "a NUL"), ("web sha256:\(hash) read prefix=a-%00", "a NUL"),
        ("web sha256:\(hash) read prefix=%zz", "incomplete %XX"), ("web sha256:\(hash) read prefix=a-%FF", "not UTF-8"),
        ("web sha256:\(hash) read prefix=-a", "begin as stream names"),
        ("web sha256:\(hash) read prefix=%C3%A9-", "begin as stream names"),
        ("web sha256:\(hash) read prefix=$a", "begin as stream names"),
        ("web sha256:\(hash) read prefix=a-é", "not ASCII"), ("wéb sha256:\(hash) read", "not ASCII"),
        ("web sha256:\(hash) read expires=tomorrow", "expires must"),
        ("web sha256:\(hash) read expires=2027-01-01T00:00:00Z expires=2027-01-01T00:00:00Z", "expires must"),
        ("web sha256:\(hash) read admin", "only prefix= and expires="),
        ("web sha256:\(hash) read # web", "only prefix= and expires="),
        ("\u{FEFF}web sha256:\(hash) read", "not ASCII"),
    ])
    func aMalformedLineIsNamedByItsNumberAndNotQuoted(line: String, fault: String) throws {
        let good = try AccessToken.make(name: "good", scopes: [.read]).token.line
        let message = try #require(
            configurationError { _ = try AccessTokens(text: "# comment\n\(good)\n\n\(line)\n") })
        #expect(message.contains("in line 4"), "\(message)")
        #expect(message.contains(fault), "\(message)")
        #expect(!message.contains("0a0a"))
        #expect(!message.contains("reed") && !message.contains("w/b"))
    }

    @Test func aSecretInAFileIsRefusedAndNotShown() throws {
        let secret = try AccessToken.make(name: "a", scopes: [.read]).secret
        for line in [
            "web \(secret) read", "\(secret) sha256:\(Self.hash) read", "web sha256:\(Self.hash) \(secret)", secret,
        ] {
            let message = try #require(configurationError { _ = try AccessTokens(text: line) })
            #expect(!message.contains(secret.dropFirst(6)), "\(message)")
        }
        let error = #expect(throws: EventStoreError.self) { try AccessToken.make(name: secret, scopes: [.read]) }
        #expect(error?.message.contains(secret.dropFirst(6)) == false)
    }

    @Test func namesMayBeSharedForRotationButNotWithOtherPrefixes() throws {
        let (old, oldSecret) = try AccessToken.make(name: "web", scopes: [.read], prefixes: ["a-", "b-"])
        let (new, newSecret) = try AccessToken.make(name: "web", scopes: [.read], prefixes: ["b-", "a-"])
        let tokens = try AccessTokens(text: "\(old.line);\(new.line);")
        for secret in [oldSecret, newSecret] {
            #expect(try caller(tokens, "Bearer \(secret)").get().name == "web")
        }
        let other = try AccessToken.make(name: "web", scopes: [.read], prefixes: ["a-"]).token
        #expect(configurationError { _ = try AccessTokens([old, other]) }?.contains("other prefixes") == true)
        let one = try AccessToken.make(name: "web", scopes: [.read], prefixes: ["a-\u{E9}", "b-"]).token
        let two = try AccessToken.make(name: "web", scopes: [.read], prefixes: ["a-e\u{301}", "b-"]).token
        #expect(one.prefixes == two.prefixes)  // for Swift's strings
        #expect(configurationError { _ = try AccessTokens([one, two]) }?.contains("other prefixes") == true)
        #expect(configurationError { _ = try AccessTokens([old, old]) }?.contains("twice") == true)
    }

    @Test func withoutTokensEveryoneIsACallerWithoutLimits() throws {
        #expect(AccessTokens.none.isEmpty)
        for header in [nil, "", "Bearer x"] {
            let caller = try caller(.none, header, scope: "admin").get()
            #expect(caller.prefixes.isEmpty)
            #expect(caller.scopes == Set(AccessScope.allCases))
        }
        #expect(AccessTokens.none.stillAllows(Caller(), at: date))
        try AccessTokens.none.reload()
    }

    @Test func aHeaderOfAnotherFormIsRefused() throws {
        let (token, secret) = try AccessToken.make(name: "web", scopes: [.read])
        let tokens = try AccessTokens([token])
        for header in ["Bearer \(secret)", "bearer \(secret)", "BEARER   \(secret)"] {
            #expect(try caller(tokens, header).get().name == "web", "\(header)")
        }
        let none = try #require(problem(tokens, nil))
        #expect(none.status == .unauthorized)
        #expect(none.code == "not_authenticated")
        #expect(none.headers[.wwwAuthenticate] == #"Bearer realm="disco""#)
        let others = [
            "", "Bearer", "Bearer ", "Bearer  ", secret, "Basic \(secret)", "Bearer\t\(secret)", "Bearer\(secret)",
            "Bearer \(secret) ", "Bearer \(secret)\0", "Bearer \0\(secret)", "Bearer \(secret)x", "Bearer x\(secret)",
            "Bearer \(secret.dropLast())", "Bearer \(secret), Bearer \(secret)", "Bearer \(secret),", "Bearer disco_",
            "Bearer \"\(secret)\"", "Bearer \(secret.uppercased())", "Bearer " + String(repeating: "x", count: 1 << 20),
            "Bearer " + String(repeating: " ", count: 1000) + secret, "B\u{E9}arer \(secret)", "\u{0}earer \(secret)",
            "Bearer " + AccessToken.line(token), "Bearer " + String(repeating: "A", count: 49),
        ]
        for header in others {
            let refusal = try #require(problem(tokens, header), "\(header)")
            #expect(refusal.status == .unauthorized)
            #expect(refusal.headers[.wwwAuthenticate] == #"Bearer realm="disco", error="invalid_token""#)
            #expect(!refusal.message.contains(secret))
        }
    }

    @Test func noScopeImpliesAnother() throws {
        for has in AccessScope.allCases {
            let (token, secret) = try AccessToken.make(name: "web", scopes: [has])
            let tokens = try AccessTokens([token])
            for wanted in AccessScope.allCases {
                let problem = problem(tokens, "Bearer \(secret)", scope: wanted.rawValue)
                #expect((problem == nil) == (has == wanted))
                guard let problem else { continue }
                #expect(problem.status == .forbidden)
                #expect(problem.code == "missing_scope")
                #expect(problem.message.contains(" \(wanted.rawValue),"))
                #expect(!problem.message.contains("web"))
            }
            // A scope that does not exist allows nobody.
            #expect(problem(tokens, "Bearer \(secret)", scope: "Read")?.status == .forbidden)
            #expect(try caller(tokens, nil, scope: nil).get().scopes.isEmpty)
        }
    }

    @Test func tokensExpire() throws {
        let (token, secret) = try AccessToken.make(name: "web", scopes: [.read], expires: date)
        let tokens = try AccessTokens([token])
        let before = date.addingTimeInterval(-0.001)
        let caller = try caller(tokens, "Bearer \(secret)", at: before).get()
        #expect(tokens.stillAllows(caller, at: before))
        #expect(!tokens.stillAllows(caller, at: date))
        let refusal = try #require(problem(tokens, "Bearer \(secret)", at: date))
        #expect(refusal.status == .unauthorized)
        #expect(refusal.message.contains("expired"))
    }

    @Test func aTokenIsNeverShownWithItsHash() throws {
        let (token, secret) = try AccessToken.make(name: "web", scopes: [.read])
        let digits = token.line.split(separator: " ")[1].dropFirst(7)
        var dumped = ""
        dump(token, to: &dumped)
        dump(Caller(name: "web", token: token), to: &dumped)
        for text in ["\(token)", "\(Caller(name: "web", token: token))", String(reflecting: token), dumped] {
            #expect(!text.contains(digits))
            #expect(!text.contains(secret))
            #expect(!text.contains("\(token.hash[0]), \(token.hash[1])"))
        }
    }
}

extension AccessToken {
    fileprivate static func line(_ token: AccessToken) -> String { token.line }
}
#endif
