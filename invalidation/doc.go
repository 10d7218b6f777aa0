// Package invalidation says when entries leave a cache: by time, which is a
// Policy, or together, by the tags that a Domain invalidates.
package invalidation
