// A wallet for pages under test (EIP-1193), its key in the page: `install(key)` puts it where wallets put themselves.
// It signs as wallets do (EIP-191, v 27 or 28, the lower s), slowly and for all to see: never with a key that has money.
function install(key) {
  const P = 2n ** 256n - 2n ** 32n - 977n;
  const N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141n;
  const G = [0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798n,
             0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8n];
  const secret = BigInt(key);

  const mod = (a, m) => ((a % m) + m) % m;
  function inverse(a, m) {
    let [r, s, t, u] = [mod(a, m), m, 1n, 0n];
    while (r > 1n) { const q = s / r; [r, s, t, u] = [s - q * r, r, u - q * t, t]; }
    return mod(t, m);
  }
  function plus(a, b) {
    if (!a || !b) return a || b;
    if (a[0] === b[0] && a[1] !== b[1]) return null;
    const slope = a[0] === b[0] ? 3n * a[0] * a[0] * inverse(2n * a[1], P) : (b[1] - a[1]) * inverse(b[0] - a[0], P);
    const x = mod(slope * slope - a[0] - b[0], P);
    return [x, mod(slope * (a[0] - x) - a[1], P)];
  }
  function times(point, by) {
    let sum = null;
    for (; by > 0n; by >>= 1n, point = plus(point, point)) if (by & 1n) sum = plus(sum, point);
    return sum;
  }

  const hex = bytes => Array.from(bytes, byte => byte.toString(16).padStart(2, "0")).join("");
  const bytesOf = text => Uint8Array.from(text.match(/../g) ?? [], pair => parseInt(pair, 16));
  const word = number => number.toString(16).padStart(64, "0");

  function permuted(lanes) {
    const mask = 2n ** 64n - 1n;
    const turn = (lane, by) => ((lane << by) | (lane >> (64n - by))) & mask;
    let register = 1;
    for (let round = 0; round < 24; round++) {
      const sums = [0, 1, 2, 3, 4].map(x => [0, 5, 10, 15, 20].reduce((sum, y) => sum ^ lanes[x + y], 0n));
      lanes = lanes.map((lane, i) => lane ^ sums[(i + 4) % 5] ^ turn(sums[(i + 1) % 5], 1n));
      for (let x = 1, y = 0, moved = lanes[1], step = 1, by = 0; step <= 24; step++) {
        by = (by + step) % 64;
        [x, y] = [y, (2 * x + 3 * y) % 5];
        [moved, lanes[x + 5 * y]] = [lanes[x + 5 * y], turn(moved, BigInt(by))];
      }
      lanes = lanes.map((lane, i) => lane ^ (~lanes[i - i % 5 + (i + 1) % 5] & mask & lanes[i - i % 5 + (i + 2) % 5]));
      for (let bit = 0; bit < 7; bit++) {
        if (register & 1) lanes[0] ^= 1n << BigInt(2 ** bit - 1);
        register = (register << 1) ^ ((register >> 7) * 0x171);
      }
    }
    return lanes;
  }
  function keccak256(bytes) {
    const padded = new Uint8Array(136 * (Math.floor(bytes.length / 136) + 1));
    padded.set(bytes);
    padded[bytes.length] ^= 0x01;
    padded[padded.length - 1] ^= 0x80;
    let lanes = new Array(25).fill(0n);
    for (let block = 0; block < padded.length; block += 136) {
      const view = new DataView(padded.buffer, block, 136);
      lanes = permuted(lanes.map((lane, i) => i < 17 ? lane ^ view.getBigUint64(8 * i, true) : lane));
    }
    const result = new DataView(new ArrayBuffer(32));
    for (let i = 0; i < 4; i++) result.setBigUint64(8 * i, lanes[i], true);
    return new Uint8Array(result.buffer);
  }

  const [x, y] = times(G, secret);
  const account = "0x" + hex(keccak256(bytesOf(word(x) + word(y)))).slice(24);

  function sign(message) {
    const head = new TextEncoder().encode(`\x19Ethereum Signed Message:\n${message.length}`);
    const digest = keccak256(Uint8Array.from([...head, ...message]));
    const number = BigInt("0x" + hex(digest));
    for (;;) {
      const k = mod(BigInt("0x" + hex(crypto.getRandomValues(new Uint8Array(32)))), N);
      const point = k && times(G, k);
      if (!point || point[0] >= N) continue;
      const s = mod(inverse(k, N) * (number + point[0] * secret), N);
      if (!point[0] || !s) continue;
      const isHigh = s > N / 2n;
      const odd = Number(point[1] & 1n) ^ (isHigh ? 1 : 0);
      return "0x" + word(point[0]) + word(isHigh ? N - s : s) + (27 + odd).toString(16);
    }
  }

  window.ethereum = {
    async request({ method, params = [] }) {
      if (method === "eth_requestAccounts" || method === "eth_accounts") return [account];
      if (method === "eth_chainId") return "0x1";
      if (method === "personal_sign" && params[1].toLowerCase() === account) return sign(bytesOf(params[0].slice(2)));
      throw Object.assign(new Error(`this wallet does not know ${method}`), { code: 4200 });
    },
  };
}
