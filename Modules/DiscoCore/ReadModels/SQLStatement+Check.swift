extension SQLStatement {
    /// Refuses what databases treat differently: a NUL in text, NaN, and statements that begin or end a transaction,
    /// which would break its atomicity.
    func check() throws {
        if let problem { throw problem }
        for piece in pieces where piece.utf8.contains(0) {
            throw EventStoreError(.invalidArgument, "The statement contains a NUL.")
        }
        for value in values {
            switch value {
            case .text(let text) where text.utf8.contains(0):
                throw EventStoreError(
                    .invalidArgument,
                    "\(value) contains a NUL, which databases truncate or refuse in text. Bind a blob."
                )
            case .real(let number) where number.isNaN:
                throw EventStoreError(.invalidArgument, "NaN is not supported: not every database can return it.")
            default: break
            }
        }
        guard let word = firstWords.first(where: { Self.control.contains($0) || $0 == "copy" }) else { return }
        throw EventStoreError(
            .invalidArgument,
            word == "copy"
                ? "COPY is not supported here: use INSERT."
                : "\(word.uppercased()) is not allowed: the store commits the transaction when the body returns, and rolls it back when it throws."
        )
    }

    /// Whether the statement controls the transaction rather than data.
    package var isOfTransaction: Bool { firstWords.contains(where: Self.control.contains) }

    /// The words that it may begin with: comments nest in PostgreSQL but not in SQLite, where a carriage return does
    /// not end a line.
    private var firstWords: [String] {
        [(true, true), (false, false), (true, false), (false, true)].compactMap { nest, lineEndsAtReturn in
            Self.firstWord(of: pieces[0].utf8, nest, lineEndsAtReturn)
        }
    }

    private static let control: Set<String> = [
        "begin", "start", "commit", "end", "rollback", "abort", "prepare", "savepoint", "release",
    ]

    /// The word that a statement begins with, in lower case.
    private static func firstWord(
        of text: String.UTF8View, _ commentsNest: Bool, _ lineEndsAtReturn: Bool
    ) -> String? {
        var rest = text[...]
        while let byte = rest.first {
            switch byte {
            case 0x20, 0x09...0x0D, UInt8(ascii: ";"): rest.removeFirst()
            case UInt8(ascii: "-") where rest.dropFirst().first == UInt8(ascii: "-"):
                rest = rest.drop { $0 != 0x0A && !($0 == 0x0D && lineEndsAtReturn) }
            // A byte order mark is white space to SQLite.
            case 0xEF where rest.prefix(3).elementsEqual([0xEF, 0xBB, 0xBF]): rest = rest.dropFirst(3)
            case UInt8(ascii: "/") where rest.dropFirst().first == UInt8(ascii: "*"):
                rest = rest.dropFirst(2)
                var depth = 1
                while depth > 0, let next = rest.popFirst() {
                    if next == UInt8(ascii: "*"), rest.first == UInt8(ascii: "/") {
                        rest.removeFirst()
                        depth -= 1
                    } else if commentsNest, next == UInt8(ascii: "/"), rest.first == UInt8(ascii: "*") {
                        rest.removeFirst()
                        depth += 1
                    }
                }
            default:
                let word = rest.prefix { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20) }
                return String(decoding: word.map { $0 | 0x20 }, as: UTF8.self)
            }
        }
        return nil
    }
}
