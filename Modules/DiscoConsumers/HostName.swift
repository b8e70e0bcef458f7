import Foundation

/// The name of this machine, for people.
enum HostName {
    static let current = ProcessInfo.processInfo.hostName + ":\(ProcessInfo.processInfo.processIdentifier)"
}
