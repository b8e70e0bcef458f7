import DiscoCore
import Testing

@Suite struct SliceTests {
    /// From the test vectors of FNV (isthe.com/chongo): 0x85944171f73967e8 for "foobar", 0xaf63dc4c8601ec8c for "a".
    @Test func theSliceOfAStreamIsTheHashOfItsNamesBytes() {
        #expect(StreamID("foobar").slice == 0x3e8)
        #expect(StreamID("a").slice == 0x8c)
        #expect(StreamID("a-é").slice != StreamID("a-e\u{301}").slice)
        #expect((0..<10_000).allSatisfy { (0..<StreamID.slices).contains(StreamID("wallet-\($0)").slice) })
    }
}
