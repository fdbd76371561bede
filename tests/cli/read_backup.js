// Reads a backup by docs/formats alone (backup.md, sealing.md, keys.md,
// files.md), with Node's own crypto and the zstd program; shares nothing with
// satchel. Prints what the manifest says, and writes to FOLDER:
//
//      VAULT.sqlite    VAULT.files/SHA-256-of-the-content
//
//      node read_backup.js PLACE PHRASE-FILE FOLDER [NUMBER]
'use strict';
const c = require('crypto'), fs = require('fs'), path = require('path');
const { spawnSync } = require('child_process');

const [place, phraseFile, folder, wanted] = process.argv.slice(2);
const sha256 = (...parts) => {
    const h = c.createHash('sha256');
    parts.forEach(p => h.update(p));
    return h.digest();
};
const check = (holds, what) => { if (!holds) throw Error(what); };

// ---- CBOR, deterministic ----

function head(major, n) {
    if (n < 24) return Buffer.from([major << 5 | n]);
    const size = n < 256 ? 1 : n < 65536 ? 2 : n < 2 ** 32 ? 4 : 8;
    const out = Buffer.alloc(1 + size);
    out[0] = major << 5 | { 1: 24, 2: 25, 4: 26, 8: 27 }[size];
    if (size === 8) out.writeBigUInt64BE(BigInt(n), 1);
    else out.writeUIntBE(n, 1, size);
    return out;
}

function encode(v) {
    if (typeof v === 'number') return head(0, v);
    if (typeof v === 'string')
        return Buffer.concat([head(3, Buffer.byteLength(v)), Buffer.from(v)]);
    if (Buffer.isBuffer(v)) return Buffer.concat([head(2, v.length), v]);
    return Buffer.concat([head(4, v.length), ...v.map(encode)]);
}

// The item at `at`, and where it ends.
function decode(b, at) {
    const major = b[at] >> 5, low = b[at] & 31;
    const size = low < 24 ? 0 : 1 << (low - 24);
    check(low < 28, 'CBOR');
    const n = size === 0 ? low
        : size === 8 ? Number(b.readBigUInt64BE(at + 1))
            : b.readUIntBE(at + 1, size);
    at += 1 + size;
    if (major === 0) return [n, at];
    if (major === 2) return [b.subarray(at, at + n), at + n];
    if (major === 3) return [b.toString('utf8', at, at + n), at + n];
    check(major === 4, 'CBOR');
    const items = [], ends = [];
    for (let i = 0; i < n; i++) {
        let item;
        [item, at] = decode(b, at);
        items.push(item);
        ends.push(at);
    }
    items.ends = ends;
    return [items, at];
}

function whole(b) {
    const [item, end] = decode(b, 0);
    check(end === b.length && encode(item).equals(b), 'CBOR is not canonical');
    return item;
}

// ---- sealing.md ----

const none = Buffer.alloc(0);
const hkdf = (key, info, salt = none) =>
    Buffer.from(c.hkdfSync('sha256', key, salt, Buffer.from(info), 32));
const context = (purpose, { object = none, version = 0, device = none }) =>
    encode([1, purpose, none, object, none, version, device]);

function gcm(key, nonce, ad, sealed) {
    const d = c.createDecipheriv('aes-256-gcm', key, nonce);
    d.setAAD(ad);
    d.setAuthTag(sealed.subarray(-16));
    return Buffer.concat([d.update(sealed.subarray(0, -16)), d.final()]);
}

// XAES-256-GCM's key: CMAC of two blocks.
function extend(key, nonce) {
    const aes = block => {
        const e = c.createCipheriv('aes-256-ecb', key, null);
        e.setAutoPadding(false);
        return e.update(block);
    };
    const zero = aes(Buffer.alloc(16)), k1 = Buffer.alloc(16);
    for (let i = 0; i < 16; i++)
        k1[i] = zero[i] << 1 | (i < 15 ? zero[i + 1] >> 7 : 0);
    if (zero[0] & 128) k1[15] ^= 0x87;
    return Buffer.concat([1, 2].map(i => {
        const m = Buffer.concat([Buffer.from([0, i, 0x58, 0]), nonce]);
        return aes(m.map((byte, at) => byte ^ k1[at]));
    }));
}

function unseal(key, ad, message) {
    check(message[0] === 1, 'suite');
    check(hkdf(key, 'satchel-v1 commit').equals(message.subarray(25, 57)),
        'the commitment is of another key');
    return gcm(extend(key, message.subarray(1, 13)), message.subarray(13, 25),
        ad, message.subarray(57));
}

const CHUNK = 65536;
const nonceOf = (index, isLast) => {
    const nonce = Buffer.alloc(12);
    nonce.writeBigUInt64BE(BigInt(index), 3);
    nonce[11] = isLast ? 1 : 0;
    return nonce;
};
const chunkKey = (key, header) =>
    hkdf(key, 'satchel-v1 stream', header.subarray(1, 25));

function openStream(key, ad, stream) {
    const plain = [], own = chunkKey(key, stream);
    check(stream[0] === 1, 'suite');
    for (let at = 25, i = 0; at < stream.length; i++) {
        const end = Math.min(at + CHUNK + 16, stream.length);
        plain.push(gcm(own, nonceOf(i, end === stream.length), ad,
            stream.subarray(at, end)));
        at = end;
    }
    return Buffer.concat(plain);
}

function sealStream(key, ad, header, content) {
    const own = chunkKey(key, header), out = [header];
    let at = 0, i = 0;
    do {
        const end = Math.min(at + CHUNK, content.length);
        const e = c.createCipheriv('aes-256-gcm', own,
            nonceOf(i++, end === content.length));
        e.setAAD(ad);
        out.push(e.update(content.subarray(at, end)), e.final(),
            e.getAuthTag());
        at = end;
    } while (at < content.length);
    return Buffer.concat(out);
}

// ---- a place: a folder, or one file ----

function readPlace() {
    const objects = { P: new Map(), M: new Map() };
    if (fs.statSync(place).isDirectory()) {
        for (const [kind, name] of [['P', 'packs'], ['M', 'manifests']])
            for (const file of fs.readdirSync(path.join(place, name)))
                if (/^[0-9a-f]{64}$/.test(file))
                    objects[kind].set(file,
                        fs.readFileSync(path.join(place, name, file)));
        return objects;
    }
    const b = fs.readFileSync(place);
    check(b.toString('latin1', 0, 16) === 'satchel backup\n\x01', 'magic');
    for (let at = 16; at < b.length && b[at] !== 0;) {
        const size = Number(b.readBigUInt64BE(at + 1));
        const name = b.toString('hex', at + 9, at + 41);
        const kind = String.fromCharCode(b[at]);
        if (objects[kind] !== undefined)
            objects[kind].set(name, b.subarray(at + 41, at + 41 + size));
        at += 41 + size;
    }
    return objects;
}

// ---- manifests ----

function verify(manifest) {
    const [magic, signed, signature] = whole(manifest);
    check(magic === 'satchel backup', 'magic');
    const open = whole(signed);
    check(open[0] === 1, 'format');
    const key = c.createPublicKey({
        format: 'jwk',
        key: { kty: 'OKP', crv: 'Ed25519', x: open[3].toString('base64url') },
    });
    check(c.verify(null, Buffer.concat([Buffer.from(
        'satchel-v1backup manifest\0'), signed]), key, signature),
    'the signature is wrong');
    return { open, bytes: signed.subarray(0, open.ends[8]) };
}

function openSlot(root, slot) {
    const fields = whole(slot);
    const before = slot.subarray(1, fields.ends[6]);
    check(fields[0] === 1 && fields[2] === 2, 'slot');
    return unseal(hkdf(root, 'satchel-v1 phrase slot'),
        context('slot', { object: before, version: fields[4] }), fields[7]);
}

function openManifest(root, { open, bytes }) {
    const [, number, created, sign, , , slot, envelope, packs, sealed] = open;
    check(envelope.length === 0, 'the master key was renewed');
    const master = openSlot(root, slot);
    const plain = unseal(hkdf(master, 'satchel-v1 backup manifest'),
        context('backup manifest',
            { object: sha256(bytes), version: number, device: sign }), sealed);
    const s = whole(plain);
    check(sha256(bytes, plain.subarray(0, s.ends[10])).equals(s[11]),
        'the checksum is wrong');
    return {
        number, created, packs, chain: s[0], device: s[1], deviceName: s[2],
        settings: JSON.parse(s[4]), vaults: s[5], files: s[6],
        missing: s[7], content: s[8], base: s[9], keys: s[10],
    };
}

// ---- packs ----

function expand(method, stored, length) {
    if (method === 1) return stored;
    check(method === 2, 'method');
    const done = spawnSync('zstd', ['-dcq'],
        { input: stored, maxBuffer: 1 << 24 });
    check(done.status === 0 && done.stdout.length === length, 'zstd');
    return done.stdout;
}

function* framesOf(pack) {
    let at = 0;
    while (at < pack.length && pack[at] !== 0) {
        const length = pack.readUInt32BE(at + 1);
        const stored = pack.readUInt32BE(at + 5);
        yield expand(pack[at], pack.subarray(at + 9, at + 9 + stored), length);
        at += 9 + stored;
    }
    check(pack.subarray(at).every(byte => byte === 0), 'padding');
}

function readFrame(frame, pages, files) {
    const name = at => frame.toString('utf8', at + 1, at + 1 + frame[at]);
    if (frame[0] === 1) {
        let at = 2 + frame[1];
        const count = frame.readUInt16BE(at), vault = name(1);
        at += 2;
        for (let i = 0; i < count; i++) {
            const from = at + 4 * count + 4096 * i;
            pages.set(`${vault} ${frame.readUInt32BE(at + 4 * i)}`,
                frame.subarray(from, from + 4096));
        }
        return;
    }
    check(frame[0] === 2, 'kind');
    for (let at = 1; at < frame.length;) {
        const vault = name(at);
        at += 1 + frame[at];
        const blob = frame.toString('hex', at, at + 32);
        const content = frame.subarray(at + 32, at + 64);
        const key = frame.subarray(at + 64, at + 96);
        const header = frame.subarray(at + 96, at + 121);
        const size = Number(frame.readBigUInt64BE(at + 121));
        const offset = Number(frame.readBigUInt64BE(at + 129));
        const length = frame.readUInt32BE(at + 137);
        const id = `${vault} ${blob}`;
        at += 141;
        if (offset === 0)
            files.set(id, { vault, blob, content, key, header, size, parts: [] });
        files.get(id).parts.push(frame.subarray(at, at + length));
        at += length;
    }
}

function main() {
    const words = fs.readFileSync(phraseFile, 'utf8').trim().split(/\s+/);
    const root = c.pbkdf2Sync(words.join(' ').normalize('NFKD'), 'mnemonic',
        2048, 64, 'sha512');
    const objects = readPlace();
    for (const kind of ['P', 'M'])
        for (const [name, bytes] of objects[kind])
            check(sha256(bytes).toString('hex') === name, 'name');
    const found = [...objects.M.values()].map(verify)
        .sort((a, b) => b.open[1] - a.open[1])
        .find(m => wanted === undefined || m.open[1] === Number(wanted));
    const manifest = openManifest(root, found);
    const pages = new Map(), files = new Map();
    manifest.packs.forEach(([name, size], i) => {
        const pack = objects.P.get(name.toString('hex'));
        check(pack.length === size, 'size');
        const [ordinal, key] = manifest.keys[i];
        const plain = openStream(key, context('backup pack', {
            object: manifest.chain, version: ordinal, device: manifest.device,
        }), pack);
        for (const frame of framesOf(plain)) readFrame(frame, pages, files);
    });
    for (const [vault, count] of manifest.vaults) {
        const all = [];
        for (let i = 1; i <= count; i++) all.push(pages.get(`${vault} ${i}`));
        fs.writeFileSync(path.join(folder, vault + '.sqlite'),
            Buffer.concat(all));
        fs.mkdirSync(path.join(folder, vault + '.files'));
    }
    for (const f of files.values()) {
        const content = Buffer.concat(f.parts);
        if (content.length !== f.size) continue; // never finished
        check(sha256(content).equals(f.content), 'content');
        check(sha256(sealStream(f.key, context('file', {}), f.header, content))
            .toString('hex') === f.blob, 'blob');
        fs.writeFileSync(path.join(folder, f.vault + '.files',
            f.content.toString('hex')), content);
    }
    console.log(JSON.stringify({
        number: manifest.number, created: manifest.created,
        device_name: manifest.deviceName, settings: manifest.settings,
        vaults: manifest.vaults, files: manifest.files,
        missing: manifest.missing,
    }));
}

main();
