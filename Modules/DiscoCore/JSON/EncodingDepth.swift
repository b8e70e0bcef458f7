/// How many containers a value lies in, and by how many calls it was come to.
struct EncodingDepth {
    final class Exceeded {
        var isExceeded = false
    }

    private var containers = 0
    private var calls = 0
    /// A container has no way to say that it is one too many: it is said here, and what is put into it is let go.
    let exceeded = Exceeded()

    /// Calls take the stack, whether they nest anything or not.
    private static let mostCalls = 1024

    var left: Int { JSONParser.deepest - containers }
    var isTooDeep: Bool { containers > JSONParser.deepest || calls > Self.mostCalls }

    /// Of what is put into a container here; nil where there may be none.
    var inside: EncodingDepth? {
        var depth = self
        depth.containers += 1
        if depth.isTooDeep { exceeded.isExceeded = true }
        return depth.isTooDeep ? nil : depth
    }

    var called: EncodingDepth {
        var depth = self
        depth.calls += 1
        return depth
    }
}
