// Checks a log written by SafeRoom with golang.org/x/mod/sumdb, which knows nothing of SafeRoom.
//
//	verify DIR VERIFIER-KEY WITNESS-KEY...
//
// DIR holds the files of C2SP tlog-tiles, and in proofs.json inclusion and consistency proofs made by SafeRoom.
// The signed note, the hash tree and the proofs are checked by the library; here stand the paths of the tiles and the
// bytes of a cosignature, which it does not have.
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// witness is a note.Verifier for cosignature/v1.
type witness struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (w witness) Name() string    { return w.name }
func (w witness) KeyHash() uint32 { return w.hash }
func (w witness) Verify(msg, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	text := fmt.Sprintf("cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(sig), msg)
	return ed25519.Verify(w.key, []byte(text), sig[8:])
}

func newWitness(vkey string) note.Verifier {
	parts := strings.SplitN(vkey, "+", 3)
	key, err := base64.StdEncoding.DecodeString(parts[2])
	check(err)
	if key[0] != 4 {
		check(fmt.Errorf("not a cosignature key"))
	}
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), key...))
	return witness{parts[0], binary.BigEndian.Uint32(sum[:]), key[1:]}
}

// tiles reads C2SP paths for the library's tiles of height 8.
type tiles struct{ dir string }

func (t tiles) Height() int                        { return 8 }
func (t tiles) SaveTiles([]tlog.Tile, [][]byte)    {}
func (t tiles) ReadTiles(ts []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range ts {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(t.dir, filepath.FromSlash(path)))
		if err != nil {
			return nil, err
		}
		found = append(found, data)
	}
	return found, nil
}

type proofs struct {
	Inclusion []struct {
		Index int64
		Leaf  tlog.Hash
		Proof tlog.RecordProof
	}
	Consistency []struct {
		Old   int64
		Root  tlog.Hash
		Proof tlog.TreeProof
	}
}

func main() {
	dir := os.Args[1]
	log, err := note.NewVerifier(os.Args[2])
	check(err)
	known := []note.Verifier{log}
	for _, vkey := range os.Args[3:] {
		known = append(known, newWitness(vkey))
	}
	signed, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	check(err)
	opened, err := note.Open(signed, note.VerifierList(known...))
	check(err)
	if len(opened.Sigs) != len(known) {
		check(fmt.Errorf("%d of %d signatures", len(opened.Sigs), len(known)))
	}
	lines := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	root, err := tlog.ParseHash(lines[2])
	check(err)

	reader := tlog.TileHashReader(tlog.Tree{N: size, Hash: root}, tiles{dir})
	computed, err := tlog.TreeHash(size, reader)
	check(err)
	if computed != root {
		check(fmt.Errorf("the tiles do not give the root"))
	}
	checkEntries(dir, size, reader)

	var given proofs
	data, err := os.ReadFile(filepath.Join(dir, "proofs.json"))
	check(err)
	check(json.NewDecoder(bytes.NewReader(data)).Decode(&given))
	for _, p := range given.Inclusion {
		check(tlog.CheckRecord(p.Proof, size, root, p.Index, p.Leaf))
		own, err := tlog.ProveRecord(size, p.Index, reader)
		check(err)
		if len(own) != len(p.Proof) {
			check(fmt.Errorf("another proof for entry %d", p.Index))
		}
	}
	for _, p := range given.Consistency {
		check(tlog.CheckTree(p.Proof, size, root, p.Old, p.Root))
	}
	fmt.Printf("%s %d %d %d\n", lines[0], size, len(given.Inclusion), len(given.Consistency))
}

// checkEntries compares every entry of the bundles with the leaf hash in the tiles.
func checkEntries(dir string, size int64, reader tlog.HashReader) {
	for index := int64(0); index < size; {
		tile := tlog.Tile{H: 8, L: 0, N: index / 256, W: 256}
		if size-index < 256 {
			tile.W = int(size - index)
		}
		path := strings.Replace(tile.Path(), "tile/8/0/", "tile/entries/", 1)
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(path)))
		check(err)
		for len(data) > 0 {
			length := int(binary.BigEndian.Uint16(data))
			hashes, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
			check(err)
			if tlog.RecordHash(data[2:2+length]) != hashes[0] {
				check(fmt.Errorf("entry %d is not the one in the tree", index))
			}
			data, index = data[2+length:], index+1
		}
	}
}
