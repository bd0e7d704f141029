// Keeps the folder's files as they are first asked for, so that later visits need no network. `version` names the set.
const version = new URL(self.location.href).searchParams.get("version") ?? "";
const mine = `cnncalc-${self.registration.scope}-`;
const store = () => caches.open(mine + version);

self.addEventListener("install", (event) => event.waitUntil(self.skipWaiting()));
self.addEventListener("activate", (event) => event.waitUntil((async () => {
  for (const name of await caches.keys()) {
    if (name.startsWith(mine) && name !== mine + version) await caches.delete(name);
  }
  await self.clients.claim();
})()));

// The page tells which files there are; those that it has not asked for yet are fetched now.
self.addEventListener("message", (event) => event.waitUntil((async () => {
  const kept = await store();
  for (const file of event.data) {
    const address = new URL(file, self.registration.scope).href;
    if (!await kept.match(address)) await kept.add(address);
  }
  event.source?.postMessage("kept");
})()));

self.addEventListener("fetch", (event) => {
  const address = new URL(event.request.url);
  if (event.request.method !== "GET" || !address.href.startsWith(self.registration.scope)) return;
  address.search = "";
  event.respondWith((async () => {
    const kept = await store();
    const fresh = async () => {
      const answer = await fetch(address, { cache: "no-cache" });
      if (answer.ok) await kept.put(address.href, answer.clone());
      return answer;
    };
    const found = await kept.match(address.href);
    // What says which version there is, is asked for where there is a network.
    if (!found) return fresh();
    return address.pathname.endsWith("/specs.json") ? fresh().catch(() => found) : found;
  })());
});
