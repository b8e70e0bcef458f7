package import Logging

/// Logs a continuing problem once when it begins and once when it ends.
package struct TroubleLog: Sendable {
    private let logger: Logger?
    private let what: String
    private var isOn = false

    /// - Parameter what: the subject of both sentences, for example "The consumer wallets".
    package init(_ what: String, _ logger: Logger?) {
        self.what = what
        self.logger = logger
    }

    /// - Parameter predicate: completes the sentence: "waits for the store".
    package mutating func begins(_ predicate: @autoclosure () -> String, _ error: any Error) {
        if isOn { return }
        isOn = true
        logger?.warning("\(what) \(predicate())", metadata: ["error": "\(ErrorDescription(error).message)"])
    }

    package mutating func ends(_ predicate: @autoclosure () -> String) {
        if !isOn { return }
        isOn = false
        logger?.notice("\(what) \(predicate())")
    }
}
