#if HTTP
import DiscoCore
@testable import DiscoEventStoreServer
import DiscoHTTPSupport
import Foundation
import HTTPTypes
import TestSupport
import Testing

extension AccessTokensTests {
    @Test func aFileIsReadAgainOrStaysAsItWas() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("tokens")
        #expect(configurationError { _ = try AccessTokens(file: path) }?.contains(path) == true)
        let (old, oldSecret) = try AccessToken.make(name: "old", scopes: [.read], prefixes: ["a-"])
        try AccessTokens.add(old, toFile: path)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        let tokens = try AccessTokens(file: path)
        let caller = try caller(tokens, "Bearer \(oldSecret)").get()

        let (new, newSecret) = try AccessToken.make(name: "new", scopes: [.read])
        try AccessTokens.add(new, toFile: path)
        #expect(problem(tokens, "Bearer \(newSecret)") != nil)
        try tokens.reload()
        #expect(problem(tokens, "Bearer \(newSecret)") == nil)
        #expect(tokens.stillAllows(caller, at: date))

        for content in ["nonsense", "", "# \(new.line)\n", old.line + "\n" + old.line] {
            try Data(content.utf8).write(to: URL(filePath: path))
            #expect(configurationError { try tokens.reload() } != nil, "\(content)")
            #expect(tokens.tokens == [old, new])
        }
        // Removed, and changed.
        try Data(new.line.utf8).write(to: URL(filePath: path))
        try tokens.reload()
        #expect(problem(tokens, "Bearer \(oldSecret)")?.status == .unauthorized)
        #expect(!tokens.stillAllows(caller, at: date))
        try Data((old.line + " prefix=b-").utf8).write(to: URL(filePath: path))
        try tokens.reload()
        #expect(problem(tokens, "Bearer \(oldSecret)") == nil)
        #expect(!tokens.stillAllows(caller, at: date))
        try FileManager.default.removeItem(atPath: path)
        #expect(configurationError { try tokens.reload() }?.contains("Cannot read") == true)
        #expect(tokens.tokens.count == 1)
    }

    @Test func aFileThatEveryoneMayWriteOrThatIsNotTextIsRefused() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("tokens")
        try AccessTokens.add(try AccessToken.make(name: "a", scopes: [.read]).token, toFile: path)
        for mode in [0o644, 0o660, 0o400] {
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
            _ = try AccessTokens(file: path)
        }
        try FileManager.default.setAttributes([.posixPermissions: 0o666], ofItemAtPath: path)
        #expect(configurationError { _ = try AccessTokens(file: path) }?.contains("chmod o-w") == true)
        let link = folder.file("link")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
        #expect(configurationError { _ = try AccessTokens(file: link) }?.contains("chmod o-w") == true)
        let binary = folder.file("binary")
        try Data([0xFF, 0xFE]).write(to: URL(filePath: binary))
        #expect(configurationError { _ = try AccessTokens(file: binary) }?.contains("UTF-8") == true)
        #expect(configurationError { _ = try AccessTokens(file: folder.path) }?.contains("Cannot read") == true)
        let empty = folder.file("empty")
        try Data("# none\n".utf8).write(to: URL(filePath: empty))
        #expect(configurationError { _ = try AccessTokens(file: empty) }?.contains("nobody could use") == true)
        #expect(configurationError { _ = try AccessTokens(text: "") }?.contains("nobody could use") == true)
        let broken = folder.file("broken")
        try Data("nonsense".utf8).write(to: URL(filePath: broken))
        let token = try AccessToken.make(name: "a", scopes: [.read]).token
        #expect(configurationError { try AccessTokens.add(token, toFile: broken) }?.contains("line 1") == true)
        #expect(configurationError { try AccessTokens.add(token, toFile: folder.file("no/such")) } != nil)
    }

    @Test func requestsAreLimitedByToken() throws {
        let (one, first) = try AccessToken.make(name: "one", scopes: [.read])
        let (two, second) = try AccessToken.make(name: "two", scopes: [.read])
        let tokens = try AccessTokens([one, two], requestsPerSecond: 2)
        for _ in 1...2 { #expect(problem(tokens, "Bearer \(first)", now: .seconds(5)) == nil) }
        let refused = try #require(problem(tokens, "Bearer \(first)", now: .seconds(5)))
        #expect(refused.status == .tooManyRequests)
        #expect(refused.code == "rate_limited")
        #expect(refused.kind == .exhausted)
        #expect(refused.headers[.retryAfter] == "1")
        #expect(problem(tokens, "Bearer \(second)", now: .seconds(5)) == nil)
        #expect(problem(tokens, "Bearer \(first)", now: .seconds(5.49)) != nil)
        #expect(problem(tokens, "Bearer \(first)", now: .seconds(5.5)) == nil)
        #expect(problem(tokens, "Bearer \(first)", now: .seconds(5.5)) != nil)
        // Silence gives back one second's requests, not more. A clock that goes back gives none.
        for _ in 1...2 { #expect(problem(tokens, "Bearer \(first)", now: .seconds(1000)) == nil) }
        #expect(problem(tokens, "Bearer \(first)", now: .seconds(1000)) != nil)
        #expect(problem(tokens, "Bearer \(first)", now: .seconds(1)) != nil)
        // A wrong token costs nobody anything, and refusals for the scope count.
        #expect(problem(tokens, "Bearer x", now: .seconds(2000))?.status == .unauthorized)
        for _ in 1...2 {
            #expect(problem(tokens, "Bearer \(second)", scope: "admin", now: .seconds(2000))?.status == .forbidden)
        }
        #expect(problem(tokens, "Bearer \(second)", scope: "admin", now: .seconds(2000))?.status == .tooManyRequests)
    }

    @Test(arguments: [Int.min, -1, 0, 1, 3, 1_000_000_000, Int.max])
    func anyRateIsTaken(rate: Int) throws {
        guard let limit = RateLimit(requestsPerSecond: rate) else {
            #expect(rate <= 0)
            return
        }
        var bucket = RateLimit.Bucket()
        #expect(limit.wait(at: .zero, &bucket) == nil)
        let most = min(rate, 100)
        let allowed = (0..<100).count { _ in limit.wait(at: .seconds(10), &bucket) == nil }
        #expect(allowed == most)
    }
}
#endif
