#if HTTP
package import HTTPTypes

extension HTTPField.Name {
    /// A header name in the source, which is valid.
    package static func known(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("\(name) is not the name of a header.") }
        return name
    }
}
#endif
