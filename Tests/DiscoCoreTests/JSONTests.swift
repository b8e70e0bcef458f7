import DiscoCore
import Testing

struct JSONTests {
    @Test(
        "Text that is not JSON is refused",
        arguments: [
            "", "[1,]", "{\"a\":1,}", "01", "1.", ".5", "+1", "1e", "-", "nul", "[1 2]", "{a:1}", "1 2", "\"\\ud800\"",
            "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\\x\"", "\"open", "\"\n\"", "// no\n1", "NaN",
            String(repeating: "[", count: 513) + String(repeating: "]", count: 513),
        ])
    func refused(text: String) { #expect(throws: JSONError.self) { try JSONText(text) } }

    @Test(
        "Text comes back as it was written",
        arguments: ["12.50", "1e3", "-0", "9223372036854775807", "{\"b\":1,\"a\":[null,true,\"é\"]}", "[]", "{}"])
    func kept(text: String) throws { #expect(JSONText(try JSONText(text).value()).string == text) }

    @Test("A surrogate pair is one character") func surrogates() throws {
        #expect(try JSONText("\"\\ud83d\\ude00\"").value() == "😀")
    }

    @Test("Equality ignores the order of members") func order() throws {
        #expect(try JSONText("{\"a\":1,\"b\":2}").value() == JSONText("{\"b\":2,\"a\":1}").value())
    }
}
