/* Measures what PostgreSQL itself can do through libpq, for comparison with DiscoEventStorePostgres.
 *   postgres_peer URL function SECONDS BATCH      batches of single-event appends through the SQL function, on one connection
 *   postgres_peer URL rows SECONDS CONNECTIONS    plain inserts of 100 rows, one tag each, into tables with the same columns and indexes
 *   postgres_peer URL lock SECONDS CONNECTIONS    one event per transaction, under a row lock that sets the order
 *   postgres_peer URL read                        all events in order, in pages of 1,000, with binary results
 * Prints events per second. */
#include <arpa/inet.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STREAMS = 32000 };
static const char *url;
static double seconds;
static volatile int stopping;

static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + t.tv_nsec / 1e9; }
static void die(PGconn *c, const char *what) { fprintf(stderr, "%s: %s", what, PQerrorMessage(c)); exit(1); }

static PGconn *connect_to(void) {
    PGconn *c = PQconnectdb(url);
    if (PQstatus(c) != CONNECTION_OK) die(c, "connect");
    PQclear(PQexec(c, "SET enable_seqscan = off"));
    PQclear(PQexec(c, "SET jit = off"));
    return c;
}

/* A one-dimensional array in binary form. */
typedef struct { char *p; size_t n, cap; uint32_t items; } Array;
static void put(Array *a, const void *d, size_t n) {
    if (a->n + n > a->cap) { a->cap = (a->n + n) * 2; a->p = realloc(a->p, a->cap); }
    memcpy(a->p + a->n, d, n);
    a->n += n;
}
static void put32(Array *a, uint32_t v) { v = htonl(v); put(a, &v, 4); }
static void begin(Array *a, uint32_t type) { a->n = a->items = 0; put32(a, 1); put32(a, 0); put32(a, type); put32(a, 0); put32(a, 1); }
static void bytes(Array *a, const void *d, uint32_t n) { put32(a, n); put(a, d, n); a->items++; }
static void text(Array *a, const char *s) { bytes(a, s, strlen(s)); }
static void int4(Array *a, uint32_t v) { put32(a, 4); put32(a, v); a->items++; }
static void int2(Array *a, uint16_t v) { v = htons(v); bytes(a, &v, 2); }
static void done(Array *a) { uint32_t n = htonl(a->items); memcpy(a->p + 12, &n, 4); }

static uint64_t random64(uint64_t *s) { *s ^= *s << 13; *s ^= *s >> 7; *s ^= *s << 17; return *s; }
static void make_id(uint64_t *s, unsigned char id[16]) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    uint64_t ms = t.tv_sec * 1000ull + t.tv_nsec / 1000000, a = random64(s), b = random64(s);
    for (int i = 0; i < 6; i++) id[i] = ms >> (40 - 8 * i);
    memcpy(id + 6, &a, 8);
    memcpy(id + 14, &b, 2);
    id[6] = 0x70 | (id[6] & 15);
    id[8] = 0x80 | (id[8] & 63);
}
static const char *payload = "{\"amount\":100,\"memo\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                             "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}";

static void finish(PGconn *c) {
    for (;;) {
        PGresult *r = PQgetResult(c);
        if (!r) continue;
        ExecStatusType s = PQresultStatus(r);
        PQclear(r);
        if (s == PGRES_PIPELINE_SYNC) return;
        if (s != PGRES_COMMAND_OK && s != PGRES_TUPLES_OK) die(c, "pipeline");
    }
}

static void run_function(int batch) {
    enum { N = 28 };
    static const Oid types[N] = {1009, 1009, 1007, 1009, 1007, 1007, 1007, 1007, 1009, 1009, 1005, 1009, 1007,
                                 2951, 1009, 1009, 2951, 2951, 1009, 1007, 1000, 16, 1007, 1007, 1016, 1007, 1016, 1009};
    PGconn *c = connect_to();
    PQclear(PQprepare(c, "append",
        "SELECT * FROM disco.append($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22,$23,$24,$25,$26,$27,$28)", N, types));
    PQenterPipelineMode(c);
    Array a[N] = {0};
    uint64_t seed = 88172645463325252ull, events = 0;
    static char used[STREAMS];
    double start = now(), t;
    do {
        static const int filled[] = {2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 18, 19};
        static const uint32_t elements[N] = {25, 25, 23, 25, 23, 23, 23, 23, 25, 25, 21, 25, 23, 2950, 25, 25, 2950, 2950, 25, 23, 16, 16, 23, 23, 20, 23, 20, 25};
        for (unsigned i = 0; i < sizeof filled / sizeof *filled; i++) begin(&a[filled[i]], elements[filled[i]]);
        int chosen[1024];
        for (int i = 0; i < batch; i++) {
            int s;
            do s = random64(&seed) % STREAMS; while (used[s]);
            used[s] = 1;
            chosen[i] = s;
            char name[64], tag[64];
            unsigned char id[16];
            sprintf(name, "account-%d", s);
            sprintf(tag, "account:%d", s);
            make_id(&seed, id);
            int4(&a[2], 1); text(&a[3], name); int4(&a[4], i + 1); int4(&a[5], i + 1); int4(&a[6], i + 1);
            int4(&a[7], 1); text(&a[8], name); text(&a[9], "account"); int2(&a[10], s % 1024); text(&a[11], "Deposited");
            int4(&a[12], 1); bytes(&a[13], id, 16); text(&a[14], payload); text(&a[15], "{\"by\":\"bench\"}"); text(&a[18], tag); int4(&a[19], i + 1);
        }
        for (int i = 0; i < batch; i++) used[chosen[i]] = 0;
        const char *v[N] = {0};
        int len[N] = {0}, fmt[N];
        for (int i = 0; i < N; i++) fmt[i] = 1;
        for (unsigned i = 0; i < sizeof filled / sizeof *filled; i++) {
            Array *x = &a[filled[i]];
            done(x);
            v[filled[i]] = x->p;
            len[filled[i]] = x->n;
        }
        v[21] = "";
        len[21] = 1;
        if (!PQsendQueryPrepared(c, "append", N, v, len, fmt, 1) || !PQpipelineSync(c))
            die(c, "send");
        finish(c);
        events += batch;
        t = now();
    } while (t - start < seconds);
    printf("%.0f\n", events / (t - start));
    PQfinish(c);
}

typedef struct { int number; uint64_t events; } Thread;

static void *insert_rows(void *p) {
    Thread *me = p;
    PGconn *c = connect_to();
    uint64_t seed = 88172645463325252ull + me->number * 7919;
    static const Oid types[] = {25, 1016, 2951, 1009};
    PQclear(PQprepare(c, "rows",
        "WITH new AS (INSERT INTO peer (stream, version, category, type, type_version, id, payload, payload_bytes, metadata, tags, slice, append_id, recorded_at) "
        "SELECT $1, u.v, 'account', 'Deposited', 1, u.i, u.p::json, octet_length(u.p), '{\"by\":\"bench\"}', ARRAY[$1], 1, 1, clock_timestamp() "
        "FROM unnest($2, $3, $4) u(v, i, p) RETURNING position) INSERT INTO peer_tags SELECT $1, position FROM new", 4, types));
    Array v = {0}, ids = {0}, payloads = {0};
    int64_t version = 0;
    char name[64];
    sprintf(name, "account-%d-%llu", me->number, (unsigned long long)time(NULL));
    while (!stopping) {
        begin(&v, 20); begin(&ids, 2950); begin(&payloads, 25);
        for (int i = 0; i < 100; i++) {
            unsigned char id[16];
            version++;
            put32(&v, 8); put32(&v, version >> 32); put32(&v, (uint32_t)version); v.items++;
            make_id(&seed, id);
            bytes(&ids, id, 16);
            text(&payloads, payload);
        }
        done(&v); done(&ids); done(&payloads);
        const char *values[] = {name, v.p, ids.p, payloads.p};
        int len[] = {strlen(name), v.n, ids.n, payloads.n}, fmt[] = {1, 1, 1, 1};
        PGresult *r = PQexecPrepared(c, "rows", 4, values, len, fmt, 1);
        if (PQresultStatus(r) != PGRES_COMMAND_OK) die(c, "rows");
        PQclear(r);
        me->events += 100;
    }
    PQfinish(c);
    return NULL;
}

static void *insert_locked(void *p) {
    Thread *me = p;
    PGconn *c = connect_to();
    uint64_t seed = 88172645463325252ull + me->number * 7919;
    PQclear(PQprepare(c, "one",
        "WITH n AS (UPDATE peer_counter SET position = position + 1 RETURNING position) "
        "INSERT INTO peer (position, stream, version, category, type, type_version, id, payload, payload_bytes, metadata, tags, slice, append_id, recorded_at) "
        "SELECT n.position, $1, n.position, 'account', 'Deposited', 1, $2, $3::json, octet_length($3), '{\"by\":\"bench\"}', '{x}', 1, 1, clock_timestamp() FROM n",
        3, (Oid[]){25, 2950, 25}));
    while (!stopping) {
        char name[64];
        unsigned char id[16];
        sprintf(name, "account-%d", (int)(random64(&seed) % STREAMS));
        make_id(&seed, id);
        const char *values[] = {name, (char *)id, payload};
        int len[] = {strlen(name), 16, strlen(payload)}, fmt[] = {1, 1, 1};
        PGresult *r = PQexecPrepared(c, "one", 3, values, len, fmt, 1);
        if (PQresultStatus(r) != PGRES_COMMAND_OK) die(c, "one");
        PQclear(r);
        me->events++;
    }
    PQfinish(c);
    return NULL;
}

static void run_threads(void *(*body)(void *), int count) {
    pthread_t threads[256];
    static Thread state[256];
    double start = now();
    for (int i = 0; i < count; i++) { state[i].number = i; pthread_create(&threads[i], NULL, body, &state[i]); }
    struct timespec pause = {(time_t)seconds, 0};
    nanosleep(&pause, NULL);
    stopping = 1;
    uint64_t events = 0;
    for (int i = 0; i < count; i++) { pthread_join(threads[i], NULL); events += state[i].events; }
    printf("%.0f\n", events / (now() - start));
}

static void run_read(void) {
    PGconn *c = connect_to();
    PQclear(PQprepare(c, "page",
        "SELECT position, stream, version, id, type, type_version, payload, metadata, correlation_id, causation_id, tags, recorded_at "
        "FROM disco.events WHERE position > $1 ORDER BY position LIMIT 1000", 1, (Oid[]){20}));
    uint64_t last = 0, events = 0, sum = 0;
    double start = now();
    for (;;) {
        uint32_t word[2] = {htonl(last >> 32), htonl((uint32_t)last)};
        const char *v[] = {(char *)word};
        int len[] = {8}, fmt[] = {1};
        PGresult *r = PQexecPrepared(c, "page", 1, v, len, fmt, 1);
        if (PQresultStatus(r) != PGRES_TUPLES_OK) die(c, "page");
        int n = PQntuples(r);
        for (int i = 0; i < n; i++)
            for (int f = 0; f < 12; f++) sum += PQgetlength(r, i, f) ? PQgetvalue(r, i, f)[0] : 0;
        if (n) {
            const unsigned char *p = (const unsigned char *)PQgetvalue(r, n - 1, 0);
            last = 0;
            for (int i = 0; i < 8; i++) last = last << 8 | p[i];
        }
        PQclear(r);
        events += n;
        if (n < 1000) break;
    }
    printf("%.0f\n", events / (now() - start) + (sum == 1));
    PQfinish(c);
}

int main(int argc, char **argv) {
    if (argc < 3) return 64;
    url = argv[1];
    seconds = argc > 3 ? atof(argv[3]) : 3;
    int count = argc > 4 ? atoi(argv[4]) : 1;
    if (!strcmp(argv[2], "function")) run_function(count);
    else if (!strcmp(argv[2], "rows")) run_threads(insert_rows, count);
    else if (!strcmp(argv[2], "lock")) run_threads(insert_locked, count);
    else if (!strcmp(argv[2], "read")) run_read();
    else return 64;
    return 0;
}
