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

    /// `moneyDeposited` becomes `MoneyDeposited`.
    package static func capitalized(_ name: some StringProtocol) -> String {
        name.prefix(1).uppercased() + name.dropFirst()
    }

    /// `MoneyDeposited` becomes `moneyDeposited`.
    package static func uncapitalized(_ name: some StringProtocol) -> String {
        name.prefix(1).lowercased() + name.dropFirst()
    }
}
