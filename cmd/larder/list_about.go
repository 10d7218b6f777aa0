package main

// about has a line on what the catalogs only name.
var about = map[string]string{
	// Operations
	"get":    "read a row",
	"write":  "update a row",
	"invtag": "update a group of rows, then invalidate its tag",
	"mget":   "read several rows by popularity, at once",
	"scan":   "read up to a hundred rows that follow each other, at once",
	"insert": "write the row after the newest",
	"rmw":    "read a row, then update it",

	// Distributions of keys
	"zipf":        "the key at rank k has a weight of 1/k^SKEW; any skew above 0",
	"uniform":     "each key is as likely as any other",
	"hotspot":     "some keys have most of the requests",
	"latest":      "the newest key is the most popular; there is a new one every so many requests",
	"loop":        "all keys in turn, again and again",
	"shift":       "zipf, whose popular keys are others every so many requests",
	"exponential": "the weight falls by the same factor from key to key",
	"gaussian":    "a normal distribution around a key",
	"onehit":      "a share of the requests goes to keys that never come again",

	// Arrivals
	"poisson":  "as of many callers who know nothing of each other",
	"constant": "all with the same time between them",

	// Policies
	"lru":      "evicts what was asked for longest ago; written for comparison",
	"memstore": "the store in memory of the library, as it is by default",
	"2q":       "the same store with TwoQueue, which what comes once does not pollute",
	"adaptive": "the same store with the policy that finds out what fits",
	"optimum":  "knows the future; no policy has more hits",
	"bound":    "what no policy has more hits than, where the optimum is too much to compute",

	// Formats
	"auto":          "recognise the format by content",
	"arc":           `text, "start count ignored sequence" a line`,
	"lirs":          `text, one decimal key a line; a line "*" marks a phase`,
	"text":          "one key a line, any text",
	"cache2k":       "big-endian 32-bit keys without a header",
	"corda":         "big-endian 64-bit keys without a header; Scarab is the same",
	"compact":       "varints: the number of requests, then 0 for each new key or 1 plus the id of a known one",
	"larder":        "our own: varints of all columns, with a header and a checksum",
	"twitter":       "CSV without a header, of memcached clusters: time, key, sizes, client, operation, TTL",
	"cachelib":      "CSV whose header has the columns key, op and size, and perhaps others",
	"csv":           "CSV with any other header",
	"oracleGeneral": "oracleGeneral of libCacheSim: records of 24 bytes",
	"twrBin":        "twrBin of libCacheSim: records of 20 bytes",
	"lcs":           "lcs of libCacheSim: a header that has a version, then records",
	"wikibench":     `text, "counter time URL flag" a line`,
	"lrb":           `text, "time id size" a line, and perhaps more numbers`,
	"monitor":       "what the command MONITOR of Redis shows",
}
