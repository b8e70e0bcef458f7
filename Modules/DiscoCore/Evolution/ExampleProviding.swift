/// A type that decodes only text or numbers of a certain form, and gives an example of itself.
///
/// To tell the shape of a state (for its snapshots) or of an event (for an ``EventSchema``), an example of it is
/// decoded. A type of your own that checks what it decodes would refuse the example, and what comes behind it could not
/// be seen:
///
/// ```swift
/// extension Currency: ExampleProviding { static var example: Currency { .euro } }
/// ```
///
/// Structs with synthesised decoding need none, nor do enums that are `CaseIterable`, or whose `CodingKeys` are.
///
/// An enum with associated values in a command needs one: where its value does not fit, the fields behind it are
/// checked only if there is an example to go on with.
public protocol ExampleProviding: Decodable {
    static var example: Self { get }
}
