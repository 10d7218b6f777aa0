package redistest

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/larder-cache/larder/internal/redisproc"
)

func TestMain(m *testing.M) {
	if os.Getenv(alone) != "" {
		os.Exit(m.Run())
	}
	os.Exit(Main(m))
}

// alone makes this binary run without Main.
const alone = "LARDER_REDISTEST_ALONE"

func TestTheStandaloneServerIsShared(t *testing.T) {
	if Standalone(t) != Standalone(t) {
		t.Error("there are two")
	}
	a, b := Client(t), Client(t)
	if err := a.Set(t.Context(), t.Name(), "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if v, err := b.Get(t.Context(), t.Name()).Result(); v != "v" || err != nil {
		t.Errorf("%q, %v", v, err)
	}
}

func TestTheClusterIsShared(t *testing.T) {
	if Cluster(t) != Cluster(t) {
		t.Error("there are two")
	}
	a, b := ClusterClient(t), ClusterClient(t)
	for _, k := range []string{"a", "b", "c", "d", "e", "f"} {
		if err := a.Set(t.Context(), t.Name()+k, k, 0).Err(); err != nil {
			t.Fatal(err)
		}
		if v, err := b.Get(t.Context(), t.Name()+k).Result(); v != k || err != nil {
			t.Errorf("%q, %v", v, err)
		}
	}
}

func TestAPrivateServerIsNotShared(t *testing.T) {
	var s *redisproc.Server
	t.Run("Test", func(t *testing.T) {
		s = Private(t, "--maxmemory", "3mb")
		if s == Private(t) || s == Standalone(t) {
			t.Error("it is shared")
		}
	})
	if _, err := os.Stat(s.Dir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it was not stopped: %v", err)
	}
}

// rerun runs tests of this binary in another process.
func rerun(t *testing.T, test string, env ...string) (string, error) {
	cmd := exec.Command(os.Args[0], "-test.run=^"+test+"$", "-test.v")
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestAMissingServerFailsTheTest(t *testing.T) {
	for _, test := range []string{"TestTheStandaloneServerIsShared", "TestTheClusterIsShared", "TestAPrivateServerIsNotShared"} {
		out, err := rerun(t, test, "PATH="+t.TempDir())
		if err == nil || !strings.Contains(out, "--- FAIL: "+test) || !strings.Contains(out, "apt-get install redis-server") {
			t.Errorf("%s: %v\n%s", test, err, out)
		}
	}
}

func TestWithoutMainNothingIsShared(t *testing.T) {
	dir := t.TempDir()
	out, err := rerun(t, "TestTheStandaloneServerIsShared", alone+"=1", "TMPDIR="+dir)
	if err == nil || !strings.Contains(out, "there are two") {
		t.Errorf("%v\n%s", err, out)
	}
	if left, err := os.ReadDir(dir); len(left) > 0 || err != nil {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestMainStopsWhatIsShared(t *testing.T) {
	dir := t.TempDir()
	if out, err := rerun(t, "TestTheStandaloneServerIsShared", "TMPDIR="+dir); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if left, err := os.ReadDir(dir); len(left) > 0 || err != nil {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// leakEnv makes the next test leave a goroutine.
const leakEnv = "LARDER_REDISTEST_LEAK"

func TestMainFindsALeakThatATestLeaves(t *testing.T) {
	if os.Getenv(leakEnv) != "" {
		go func() { select {} }()
		return
	}
	out, err := rerun(t, t.Name(), leakEnv+"=1")
	if err == nil || !strings.Contains(out, "goroutines are left") {
		t.Errorf("%v\n%s", err, out)
	}
}
