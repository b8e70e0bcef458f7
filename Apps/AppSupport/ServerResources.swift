import Foundation

/// What a process with many callers asks of the system.
package enum ServerResources {
    package static func prepare() {
        raiseOpenFiles()
        returnLargeBlocks()
    }

    /// Allows as many open files as the process may have: each connection is one.
    private static func raiseOpenFiles() {
        #if canImport(Glibc)
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #else
        let resource = RLIMIT_NOFILE
        #endif
        var files = rlimit()
        guard getrlimit(resource, &files) == 0, files.rlim_cur < files.rlim_max else { return }
        files.rlim_cur = files.rlim_max
        // Where this is not allowed, the limit stays as it is.
        _ = setrlimit(resource, &files)
    }

    /// Has the memory of large requests given back as soon as they are answered, where the C library is glibc.
    ///
    /// It maps large blocks one by one, but raises the size from which it does so whenever one is freed, and then keeps
    /// them in a pool of each thread. Setting the size stops that.
    private static func returnLargeBlocks() {
        #if os(Linux)
        typealias SetOption = @convention(c) (Int32, Int32) -> Int32
        // The module of the C library does not have it, and other C libraries do not either.
        guard let function = dlsym(nil, "mallopt") else { return }
        let mapThreshold: Int32 = -3  // M_MMAP_THRESHOLD in malloc.h
        _ = unsafeBitCast(function, to: SetOption.self)(mapThreshold, 1 << 20)
        #endif
    }
}
