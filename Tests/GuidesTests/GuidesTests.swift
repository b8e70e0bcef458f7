import Foundation
import Testing

/// Every block of Swift in the README and the guides is in one of the files beside this one, so it compiles.
@Suite struct GuidesTests {
    private struct Block {
        let document: String
        let lines: [String]
    }

    private let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The non-blank lines, trimmed.
    private func lines(of file: URL) throws -> [String] {
        try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
            .map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }

    private func documents() throws -> [URL] {
        let modules = root.appending(path: "Modules")
        let guides = try FileManager.default.subpathsOfDirectory(atPath: modules.path)
            .filter { $0.hasSuffix(".md") && $0.contains(".docc/") }.sorted()
        return [root.appending(path: "README.md")] + guides.map { modules.appending(path: $0) }
    }

    private func sources() throws -> [URL] {
        let folder = root.appending(path: "Tests/GuidesTests")
        return try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasSuffix(".swift") }.map { folder.appending(path: $0) }
    }

    private func blocks(of document: URL) throws -> [Block] {
        var blocks: [Block] = []
        var open: [String]?
        var isInAnother = false
        for line in try lines(of: document) {
            if let lines = open {
                if line == "```" {
                    blocks.append(Block(document: document.lastPathComponent, lines: lines))
                    open = nil
                } else {
                    open = lines + [line]
                }
            } else if line == "```swift", !isInAnother {
                open = []
            } else if line.hasPrefix("```") {
                isInAnother.toggle()
            }
        }
        if let open {
            Issue.record("The block that begins with \(open.first ?? "nothing") in \(document.path) has no end.")
        }
        return blocks
    }

    private func contains(_ lines: [String], _ block: [String]) -> Bool {
        guard let first = block.first else { return true }
        return lines.indices.contains { start in
            lines[start] == first && lines[start...].prefix(block.count).elementsEqual(block)
        }
    }

    @Test func everyBlockOfSwiftIsInATestFile() throws {
        let all = try documents().flatMap { try blocks(of: $0) }
        try #require(all.count >= 15, "only \(all.count) blocks of Swift were found below \(root.path)")
        let code = try sources().map { try lines(of: $0) }
        for block in all where !code.contains(where: { contains($0, block.lines) }) {
            Issue.record(
                "\(block.document): no file of Tests/GuidesTests has the block that begins with \(block.lines[0])")
        }
    }
}
