package redisproc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Authority is a certificate authority that is made for a run and known to nobody
// else. Servers that have one speak TLS, and nothing else.
type Authority struct {
	files map[string][]byte // that a server needs
	pool  *x509.CertPool
}

const (
	caFile   = "ca.pem"
	certFile = "cert.pem"
	keyFile  = "key.pem"
)

// NewAuthority makes an authority, and a certificate for servers on this machine.
func NewAuthority() (*Authority, error) {
	a := &Authority{pool: x509.NewCertPool()}
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("the key of an authority: %w", err)
	}
	root := template("larder's tests")
	root.IsCA, root.BasicConstraintsValid, root.KeyUsage = true, true, x509.KeyUsageCertSign
	caDER, err := x509.CreateCertificate(rand.Reader, root, root, caKey.Public(), caKey)
	if err != nil {
		return nil, fmt.Errorf("the certificate of an authority: %w", err)
	}
	if root, err = x509.ParseCertificate(caDER); err != nil {
		return nil, fmt.Errorf("the certificate of an authority: %w", err)
	}
	a.pool.AddCert(root)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("the key of a server: %w", err)
	}
	leaf := template("localhost")
	leaf.DNSNames, leaf.IPAddresses = []string{"localhost"}, []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	leaf.KeyUsage = x509.KeyUsageDigitalSignature
	leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth} // servers ask each other
	der, err := x509.CreateCertificate(rand.Reader, leaf, root, key.Public(), caKey)
	if err != nil {
		return nil, fmt.Errorf("the certificate of a server: %w", err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("the key of a server: %w", err)
	}
	a.files = map[string][]byte{
		caFile:   pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER}),
		certFile: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		keyFile:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}),
	}
	return a, nil
}

func template(name string) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 64))
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	return &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(30 * 24 * time.Hour)}
}

// ClientTLS returns what a client needs to trust servers of the authority. Of no
// authority it is nil, which is a client without TLS.
func (a *Authority) ClientTLS() *tls.Config {
	if a == nil {
		return nil
	}
	return &tls.Config{RootCAs: a.pool, MinVersion: tls.VersionTLS12}
}

// Roots returns the certificate that clients trust, in PEM, for another process. Of no
// authority it is nil.
func (a *Authority) Roots() []byte {
	if a == nil {
		return nil
	}
	return a.files[caFile]
}

// ServerTLS returns what a server of the authority shows to clients, for tests that
// play one.
func (a *Authority) ServerTLS() (*tls.Config, error) {
	pair, err := tls.X509KeyPair(a.files[certFile], a.files[keyFile])
	if err != nil {
		return nil, err
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}

// settings writes the files into dir and returns the settings of a server there, name
// and value after each other. Of no authority there are none.
func (a *Authority) settings(dir string) ([][2]string, error) {
	if a == nil {
		return nil, nil
	}
	for name, text := range a.files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return nil, err
		}
	}
	return [][2]string{
		{"tls-ca-cert-file", filepath.Join(dir, caFile)},
		{"tls-cert-file", filepath.Join(dir, certFile)},
		{"tls-key-file", filepath.Join(dir, keyFile)},
		{"tls-auth-clients", "no"},
		{"tls-replication", "yes"},
	}, nil
}

// ports returns the settings that make a server listen on port.
func (a *Authority) ports(port string) [][2]string {
	if a == nil {
		return [][2]string{{"port", port}}
	}
	return [][2]string{{"port", "0"}, {"tls-port", port}}
}

// arguments returns settings as a command line has them.
func arguments(settings [][2]string) (args []string) {
	for _, s := range settings {
		args = append(args, "--"+s[0], s[1])
	}
	return args
}
