import Foundation
import Testing

@testable import DiscoCore

/// The table of errors in the guide matches the code.
@Suite struct ErrorsTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized

    /// `DISCO_WRITE_DOCS=1 swift test --filter ErrorsTests` writes the table.
    @Test func theGuideHasTheTableOfTheCatalog() throws {
        let page = Self.root.appending(path: "Modules/DiscoCore/DiscoCore.docc/Errors.md")
        let text = try String(contentsOf: page, encoding: .utf8)
        let heading = "## The errors of Disco itself\n\n"
        let begin = try #require(text.range(of: heading))
        if ProcessInfo.processInfo.environment["DISCO_WRITE_DOCS"] != nil {
            try (text[..<begin.upperBound] + ErrorCatalog.table).write(to: page, atomically: true, encoding: .utf8)
        }
        let written = try String(contentsOf: page, encoding: .utf8)
        #expect(
            written.hasSuffix(heading + ErrorCatalog.table),
            "Write it: DISCO_WRITE_DOCS=1 swift test --filter ErrorsTests")
    }

    /// `DISCO_WRITE_DOCS=1 swift test --filter ErrorsTests` writes the file.
    @Test func theServerHasTheEntriesOfTheCatalog() throws {
        let file = Self.root.appending(path: "Modules/DiscoHTTPSupport/ProblemCatalog+Errors.swift")
        if ProcessInfo.processInfo.environment["DISCO_WRITE_DOCS"] != nil {
            try ErrorCatalog.source.write(to: file, atomically: true, encoding: .utf8)
        }
        let written = try String(contentsOf: file, encoding: .utf8)
        #expect(written == ErrorCatalog.source, "Write it: DISCO_WRITE_DOCS=1 swift test --filter ErrorsTests")
    }

    @Test func everyCodeIsListedOnce() {
        let codes = ErrorCatalog.entries.map(\.code)
        #expect(Set(codes).count == codes.count)
    }

    /// Finds a code that was added without an entry in the catalog.
    @Test func everyCodeOfTheStoreIsListed() throws {
        let source = Self.root.appending(path: "Modules/DiscoCore/EventStore/EventStoreError.swift")
        let codes = try String(contentsOf: source, encoding: .utf8).matches(of: /Code\("(\w+)", \./).map {
            String($0.1)
        }
        #expect(codes.count > 15)
        #expect(Set(codes).isSubset(of: ErrorCatalog.entries.map(\.code)))
    }

    /// Finds a described error type without an entry in the catalog.
    @Test func everyDescribedErrorIsListed() throws {
        let modules = Self.root.appending(path: "Modules")
        let catalog = try String(
            contentsOf: Self.root.appending(path: "Tests/GuidesTests/ErrorCatalog.swift"), encoding: .utf8)
        var types: [String] = []
        for path in try FileManager.default.subpathsOfDirectory(atPath: modules.path) where path.hasSuffix(".swift") {
            let text = try String(contentsOf: modules.appending(path: path), encoding: .utf8)
            types += text.matches(
                of: /(?m)^ *(?:public )?(?:struct|enum|extension) (\w+): (?:Refusal|DescribedError)\b/
            ).map {
                String($0.1)
            }
        }
        #expect(types.count > 10)
        for type in types { #expect(catalog.contains(type + "(") || catalog.contains(type + "."), "\(type)") }
    }
}
