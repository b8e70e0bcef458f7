import DiscoCore
import Foundation

/// A store whose appends and pages a test observes, delays or falsifies; all other calls go to the underlying store.
struct HookedEventStore: EventStore {
    let abilities: StoreAbilities
    let context: StoreContext
    private let base: any EventStore
    private let onAppend: @Sendable (Append) async throws -> Appended
    private let onPage: @Sendable (Read) async throws -> Page

    init(
        _ base: any EventStore, abilities: StoreAbilities? = nil, context: StoreContext? = nil,
        append: (@Sendable (Append) async throws -> Appended)? = nil,
        page: (@Sendable (Read) async throws -> Page)? = nil
    ) {
        self.base = base
        self.abilities = abilities ?? base.abilities
        self.context = context ?? base.context
        onAppend = append ?? { try await base.append($0) }
        onPage = page ?? { try await base.page($0) }
    }

    func append(_ append: Append) async throws -> Appended { try await onAppend(append) }
    func page(_ read: Read) async throws -> Page { try await onPage(read) }
    func wait(beyond position: Position) async throws { try await base.wait(beyond: position) }
    func identity() async throws -> StoreIdentity { try await base.identity() }
    func close() async { await base.close() }
}
