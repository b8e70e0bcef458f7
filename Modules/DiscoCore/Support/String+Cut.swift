extension String {
    /// Truncates the text to this many bytes, including an ellipsis at the end; for messages, which may contain
    /// anything.
    ///
    /// Cuts between scalars: one character may have any number of accents.
    package func cut(to bytes: Int, replacing map: (Unicode.Scalar) -> Unicode.Scalar = { $0 }) -> String {
        var scalars = UnicodeScalarView()
        var count = 0
        /// What fits before the ellipsis.
        var short = (scalars: 0, isFull: false)
        for scalar in unicodeScalars {
            let shown = map(scalar)
            count += UTF8.width(shown)
            if count > bytes {
                return String(String.UnicodeScalarView(scalars.prefix(short.scalars)) + ["…"])
            }
            short.isFull = short.isFull || count > bytes - UTF8.width("…")
            if !short.isFull { short.scalars += 1 }
            scalars.append(shown)
        }
        return String(scalars)
    }
}
