// Package cbor has a compact codec for the values that redisstore keeps, on CBOR
// (RFC 8949) and github.com/fxamacker/cbor:
//
//	redisstore.New(space, "users", &redisstore.StoreOptions[int64, User]{Codec: cbor.New[User]()})
//
// It is smaller than JSON and faster in both directions; docs/codecs.md has
// figures, and says how a fleet changes from one to the other.
//
// # What comes back
//
// What Append accepts comes back from Decode as it was, names of time zones left out,
// and what Losses of the codec reports, such as unexported fields:
//
//   - A time.Time is text with nanoseconds and the offset of its zone (tag 0), and
//     comes back Equal and with that offset. What RFC 3339 cannot say is an error of
//     Append: years beyond 9999 and offsets with seconds, as in local times of the
//     19th century. The zero time comes back as such, in UTC; behind a pointer or in
//     an any it would become nil, and is an error.
//   - Integers are as short as they can be, floats as short as is exact, and []byte
//     is itself. Strings need not be UTF-8. Nil slices and maps stay nil, empty ones
//     empty.
//   - In an any there come back: int64, or a big.Int for what it cannot hold;
//     float64; bool; string; []byte; time.Time; []any; and map[string]any, also for
//     structs. A map there whose keys are no strings is an error of Append, as is
//     any value but nil of an interface with methods.
//   - Struct tags are cbor's and, where a field has none, json's. Types with
//     MarshalCBOR, MarshalBinary or MarshalText write themselves, in this order;
//     MarshalJSON is not asked.
//   - Equal values have equal bytes: keys of maps are sorted.
package cbor
