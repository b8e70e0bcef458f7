import Foundation

/// Text that is compared byte by byte, as in databases: Swift's strings treat é and e with a combining accent as equal.
package struct ExactText: Hashable, Sendable {
    package let text: String

    package init(_ text: String) { self.text = text }

    package static func == (one: ExactText, other: ExactText) -> Bool { areEqual(one.text, other.text) }

    package func hash(into hasher: inout Hasher) { Self.hash(text, into: &hasher) }

    package static func areEqual(_ one: String, _ other: String) -> Bool {
        guard one.utf8.count == other.utf8.count else { return false }
        var (one, other) = (one, other)
        return one.withUTF8 { first in
            other.withUTF8 { second in
                guard let first = first.baseAddress, let other = second.baseAddress else { return true }
                return memcmp(first, other, second.count) == 0
            }
        }
    }

    package static func hash(_ text: String, into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}
