#if SQLite
import GRDB
#endif
#if Configuration
import Configuration
#endif
