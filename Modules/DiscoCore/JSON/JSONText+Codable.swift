extension JSONText: Codable {
    public init(from decoder: any Decoder) throws {
        self.init(try JSON(from: decoder))
    }

    public func encode(to encoder: any Encoder) throws {
        try value().encode(to: encoder)
    }
}
