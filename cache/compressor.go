package cache

// Compressor makes the encoded values of a store outside the process smaller.
// What it writes is marked with a method, so that a store can read values of
// several methods, and begin or stop to compress, while it holds data. Its methods
// may be called at once from many goroutines, and keep none of the slices.
type Compressor interface {
	// Compress appends src in a smaller form to dst, and returns the method with
	// which it can be read, from 1 to 7. Larder's own are below 4; choose yours
	// from 4 on. Method 0 says that it is not worth it: src is stored as it is,
	// and out is of no use.
	Compress(dst, src []byte) (out []byte, method byte)
	// Reads reports whether Decompress reads a method. A stored value of one
	// that it does not is a miss.
	Reads(method byte) bool
	// Decompress appends to dst what was compressed into src. It is an error if
	// that is more than limit bytes. Before it takes memory it compares what src
	// claims with limit: the bytes may be anybody's.
	Decompress(dst, src []byte, method byte, limit int) ([]byte, error)
}
