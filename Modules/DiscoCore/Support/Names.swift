/// Names derived from types: `CreateWallet` becomes `create_wallet`.
package enum DerivedName {
    /// The snake-case form of a type's name, without its generic arguments: `HTTPRequest` becomes `http_request`.
    package static func snakeCase(of type: Any.Type) -> String {
        let name = String(describing: type)
        return snakeCase(name.prefix { $0 != "<" })
    }

    package static func snakeCase(_ name: some StringProtocol) -> String {
        var result = ""
        let characters = Array(name)
        for (index, character) in characters.enumerated() {
            guard character.isUppercase else {
                result.append(character)
                continue
            }
            let afterLowercase = index > 0 && !characters[index - 1].isUppercase && characters[index - 1] != "_"
            let startsAWord =
                index > 0 && index + 1 < characters.count && characters[index - 1].isUppercase
                && characters[index + 1].isLowercase
            if afterLowercase || startsAWord { result.append("_") }
            result.append(character.lowercased())
        }
        return result
    }

    /// `moneyDeposited` becomes `MoneyDeposited`; a name that ``uncapitalized(_:)`` could not restore, such as `ßeta`,
    /// stays unchanged.
    package static func capitalized(_ name: String) -> String {
        replaceFirst(of: name, \.uppercaseMapping, back: \.lowercaseMapping)
    }

    /// `MoneyDeposited` becomes `moneyDeposited`.
    package static func uncapitalized(_ name: String) -> String {
        replaceFirst(of: name, \.lowercaseMapping, back: \.uppercaseMapping)
    }

    private static func replaceFirst(
        of name: String, _ map: KeyPath<Unicode.Scalar.Properties, String>,
        back: KeyPath<Unicode.Scalar.Properties, String>
    ) -> String {
        let scalars = name.unicodeScalars
        guard let first = scalars.first else { return name }
        let mapped = first.properties[keyPath: map].unicodeScalars
        guard let new = mapped.first, mapped.count == 1,
            new.properties[keyPath: back].unicodeScalars.elementsEqual([first])
        else { return name }
        var result = String.UnicodeScalarView([new])
        result.append(contentsOf: scalars.dropFirst())
        return String(result)
    }
}
