package import Foundation

/// Dates as ISO 8601 in UTC with microseconds, `2026-01-31T12:00:00.123456Z`: sortable as text, exact for what a store
/// records.
///
/// Foundation's own styles stop at milliseconds, so the fraction is handled here.
package enum Timestamp {
    private static let seconds = Date.ISO8601FormatStyle()

    package static func microseconds(of date: Date) -> Int64 {
        // As far as the calendar of any database goes, and no further than the integer does.
        Int64((min(max(date.timeIntervalSince1970, -60e9), 240e9) * 1_000_000).rounded())
    }

    package static func date(microseconds: Int64) -> Date {
        Date(timeIntervalSince1970: Double(microseconds) / 1_000_000)
    }

    package static func text(of date: Date) -> String {
        let total = microseconds(of: date)
        let fraction = ((total % 1_000_000) + 1_000_000) % 1_000_000
        let whole = self.date(microseconds: total - fraction).formatted(seconds)
        let digits = String(fraction)
        return whole.dropLast() + "." + String(repeating: "0", count: 6 - digits.count) + digits + "Z"
    }

    /// Takes any ISO 8601 date with time and zone, with or without a fraction of a second.
    package static func date(from text: String) -> Date? {
        guard let point = text.firstIndex(of: ".") else { return try? seconds.parse(text) }
        let digits = text[text.index(after: point)...].prefix { $0.isASCII && $0.isNumber }
        guard !digits.isEmpty, let fraction = Double("0." + digits),
            let whole = try? seconds.parse(String(text[..<point]) + String(text[digits.endIndex...]))
        else { return nil }
        return date(microseconds: microseconds(of: whole) + Int64((fraction * 1_000_000).rounded()))
    }
}
