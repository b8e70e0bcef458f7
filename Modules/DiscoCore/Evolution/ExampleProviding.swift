/// A type that decodes only certain text or numbers and provides an example of itself.
///
/// To determine the shape of a state (for its snapshots) or of an event (for an ``EventSchema``), Disco decodes an
/// example of it. A type that checks what it decodes would refuse the example, and the fields after it could not be
/// seen:
///
/// ```swift
/// extension Currency: ExampleProviding { static var example: Currency { .euro } }
/// ```
///
/// Structs with synthesised decoding need no example, nor do enums that are `CaseIterable` or whose `CodingKeys` are.
///
/// An enum with associated values in a command needs one: if its value cannot be decoded, the fields after it are
/// checked only if an example can take its place.
public protocol ExampleProviding: Decodable {
    static var example: Self { get }
}
