// Keeps the parts of a page up to date that say where to fetch them from. Without it every page works, and stands still.
"use strict";

const EVERY_MS = 2000;

for (const part of document.querySelectorAll("[data-live]")) keep(part);

function keep(part) {
  const spoken = document.querySelector("[data-spoken]");
  const pause = document.createElement("button");
  pause.className = "quiet pause";
  let paused = false;
  pause.addEventListener("click", () => show(!paused));
  part.before(pause);
  show(false);
  setInterval(refresh, EVERY_MS);
  document.addEventListener("visibilitychange", refresh);

  function show(now) {
    paused = now;
    pause.textContent = paused ? "Go on" : "Pause";
    pause.setAttribute("aria-label", paused ? "Go on with updates" : "Pause updates");
    refresh();
  }

  async function refresh() {
    if (paused || document.hidden || part.dataset.busy) return;
    part.dataset.busy = "yes";
    try {
      const answer = await fetch(part.dataset.live, { signal: AbortSignal.timeout(5 * EVERY_MS) });
      if (answer.status === 401) return location.reload();
      if (!answer.ok) throw new Error(answer.status);
      const html = await answer.text();
      if (!paused) replace(html); // whoever has paused meanwhile sees what stood there
      part.classList.remove("stale");
    } catch {
      part.classList.add("stale");
      say("The console does not answer; this is what was seen last.");
    } finally {
      delete part.dataset.busy;
    }
  }

  // Whoever stands on a link or a button in it keeps standing there, and what is being pressed stays until it is let go.
  function replace(html) {
    if (part.matches(":active")) return;
    const at = part.contains(document.activeElement) ? document.activeElement : null;
    const mark = at && (at.id ? `#${at.id}` : at.getAttribute("href") && `a[href="${CSS.escape(at.getAttribute("href"))}"]`);
    const nth = mark ? [...part.querySelectorAll(mark)].indexOf(at) : 0;
    part.innerHTML = html;
    if (mark) part.querySelectorAll(mark)[nth]?.focus({ preventScroll: true });
    say(part.querySelector("[data-say]")?.textContent.trim());
  }

  // Numbers change all the time; only what they mean is read out.
  function say(text) {
    if (spoken && text && spoken.textContent !== text) spoken.textContent = text;
  }
}
