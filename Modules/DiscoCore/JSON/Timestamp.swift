public import Foundation

/// Dates as ISO 8601 in UTC, `2026-01-31T12:00:00.123456Z`, for the years 0 to 9999 of the Gregorian calendar.
///
/// The text has six fractional digits of the second, or as many more as the date needs to come back equal: a `Date` is
/// a floating-point number, and a present-day one lies between two microseconds. (In the second before and after the
/// start of 2001, where a `Date` has more digits than anybody measures, the text stops at eighteen.) Foundation's own
/// styles stop at milliseconds, use the Julian calendar for old dates, and accept February 30.
public enum Timestamp {
    /// In seconds since 2001, the reference date of `Date`. `Date.distantPast` is December 30 of the year 0.
    private static let earliest = -63_145_526_400.0
    private static let end = 252_423_993_600.0
    /// Seconds from 1970 to 2001.
    private static let reference: Int64 = 978_307_200

    /// The microseconds since 1970, rounded and clamped to the years 0 to 9999; NaN counts as the earliest.
    public static func microseconds(of date: Date) -> Int64 {
        let seconds = date.timeIntervalSinceReferenceDate
        guard seconds > earliest else { return (Int64(earliest) + reference) * 1_000_000 }
        guard seconds < end else { return (Int64(end) + reference) * 1_000_000 - 1 }
        let whole = seconds.rounded(.down)
        return (Int64(whole) + reference) * 1_000_000 + Int64(((seconds - whole) * 1_000_000).rounded())
    }

    /// The date nearest to this many microseconds since 1970.
    public static func date(microseconds: Int64) -> Date {
        let (sinceReference, overflow) = microseconds.subtractingReportingOverflow(reference * 1_000_000)
        return Date(
            timeIntervalSinceReferenceDate: seconds(Int128(overflow ? microseconds : sinceReference), digits: 6))
    }

    /// The date as text; `nil` for NaN and outside the years 0 to 9999.
    public static func text(of date: Date) -> String? {
        let seconds = date.timeIntervalSinceReferenceDate
        guard seconds >= earliest, seconds < end else { return nil }
        let whole = seconds.rounded(.down)
        var scale: Int64 = 1_000_000
        for digits in 6...18 {
            let fraction = Int64(((seconds - whole) * Double(scale)).rounded())
            let total = Int128(whole) * Int128(scale) + Int128(fraction)
            // `total` carries into the next second if the fraction was rounded up to it.
            if self.seconds(total, digits: digits) == seconds || digits == 18 {
                let (quotient, remainder) = total.quotientAndRemainder(dividingBy: Int128(scale))
                let isBefore = remainder < 0
                return text(
                    Int64(quotient) + reference - (isBefore ? 1 : 0),
                    fraction: Int64(remainder) + (isBefore ? scale : 0), digits: digits)
            }
            scale *= 10
        }
        return nil
    }

    /// The double nearest to `total` units of 10 to the power of -digits.
    private static func seconds(_ total: Int128, digits: Int) -> Double {
        // Both are exact, so the quotient is rounded once.
        if total.magnitude < 1 << 53 { return Double(Int64(total)) / powers[digits] }
        return Double("\(total)e-\(digits)") ?? .nan
    }

    private static let powers: [Double] = (0...18).map { Double("1e\($0)") ?? 1 }

    private static func text(_ seconds: Int64, fraction: Int64, digits: Int) -> String {
        var days = seconds / 86_400
        var second = seconds % 86_400
        if second < 0 { (days, second) = (days - 1, second + 86_400) }
        let (year, month, day) = date(ofDay: days)
        return pad(year, 4) + "-" + pad(month, 2) + "-" + pad(day, 2) + "T" + pad(second / 3600, 2) + ":"
            + pad(second / 60 % 60, 2) + ":" + pad(second % 60, 2) + "." + pad(fraction, digits) + "Z"
    }

    private static func pad(_ number: Int64, _ digits: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }

    /// Parses a date with a time and a zone (`Z` or an offset), with or without a fraction of a second; `nil` for
    /// anything else, including a day, hour or minute that does not exist.
    public static func date(from text: String) -> Date? {
        var rest = text.utf8[...]
        guard let year = number(&rest, 4), skip(&rest, "-"), let month = number(&rest, 2), skip(&rest, "-"),
            let day = number(&rest, 2), skip(&rest, "T"), let hour = number(&rest, 2), skip(&rest, ":"),
            let minute = number(&rest, 2), skip(&rest, ":"), let second = number(&rest, 2)
        else { return nil }
        var fraction: Int64 = 0
        var digits = 0
        if skip(&rest, ".") {
            var seen = 0
            while let digit = number(&rest, 1) {
                seen += 1
                if digits < 18 { (fraction, digits) = (fraction * 10 + digit, digits + 1) }
            }
            if seen == 0 { return nil }
        }
        guard let offset = offset(&rest), rest.isEmpty, year <= 9999, (1...12).contains(month),
            day >= 1, day <= days(inMonth: month, of: year), hour < 24, minute < 60, second < 60
        else { return nil }
        let whole = Self.day(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset - reference
        let total = Int128(whole) * Int128(powers[digits]) + Int128(fraction)
        let seconds = seconds(total, digits: digits)
        guard seconds >= earliest, seconds < end else { return nil }
        return Date(timeIntervalSinceReferenceDate: seconds)
    }

    /// The offset in seconds, from `Z`, `+01`, `+0130` or `+01:30`.
    private static func offset(_ rest: inout Substring.UTF8View) -> Int64? {
        if skip(&rest, "Z") { return 0 }
        let isWest = skip(&rest, "-")
        guard isWest || skip(&rest, "+"), let hours = number(&rest, 2), hours < 24 else { return nil }
        var minutes: Int64 = 0
        if !rest.isEmpty {
            _ = skip(&rest, ":")
            guard let more = number(&rest, 2), more < 60 else { return nil }
            minutes = more
        }
        return (hours * 3600 + minutes * 60) * (isWest ? -1 : 1)
    }

    private static func number(_ rest: inout Substring.UTF8View, _ digits: Int) -> Int64? {
        var value: Int64 = 0
        var left = rest
        for _ in 0..<digits {
            guard let byte = left.popFirst(), (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            value = value * 10 + Int64(byte - UInt8(ascii: "0"))
        }
        rest = left
        return value
    }

    private static func skip(_ rest: inout Substring.UTF8View, _ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest.removeFirst()
        return true
    }

    private static func days(inMonth month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400)) ? 29 : 28
        default: 31
        }
    }

    // Days since 1970 and back, in years that start in March, so that the leap day is the last: every 400 of them have
    // 146,097 days.

    private static func day(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let march = month > 2 ? year : year - 1
        // Adds one era and subtracts it again: January of the year 0 belongs to the era before.
        let (era, inEra) = ((march + 400) / 400 - 1, (march + 400) % 400)
        let inYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        return era * 146_097 + inEra * 365 + inEra / 4 - inEra / 100 + inYear - 719_468
    }

    private static func date(ofDay day: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = day + 719_468 + 146_097
        let (era, inEra) = (shifted / 146_097 - 1, shifted % 146_097)
        let year = (inEra - inEra / 1460 + inEra / 36_524 - inEra / 146_096) / 365
        let inYear = inEra - (365 * year + year / 4 - year / 100)
        let march = (5 * inYear + 2) / 153
        let month = march < 10 ? march + 3 : march - 9
        return (era * 400 + year + (month <= 2 ? 1 : 0), month, inYear - (153 * march + 2) / 5 + 1)
    }
}
