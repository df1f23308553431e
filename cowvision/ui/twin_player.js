// One or two videos on one clock over one timeline. The longest video leads, the other follows it by its pace.

const FAR = 0.3; // seconds: a follower this far off jumps
const STEADY = 0.0015; // seconds: a follower this near keeps its pace
const SETTLED = 250; // milliseconds of rest before Python is told
const TRIES = 4; // to load a video that fails: a server that tidies up may miss it for a moment
const TOLD = 6; // events of a mark that its tip tells one by one
const ROWS = [["switch"], ["birth", "loss", "gap"]]; // of a lane, from above
const KEPT = "cowvision.twin"; // speed, loop and size, for the next visit
const SMALL = matchMedia("(max-width: 640px), (pointer: coarse)");
const TAKEN = // by whatever of the page has the focus, keys are its own
  "input, textarea, select, button, summary, canvas, iframe, [contenteditable=true], dialog, " +
  "[role=slider], [role=grid], [role=dialog], [role=listbox], [role=combobox], [role=menu], [role=tab], [role=radio]";

const MARKS = {
  birth: '<svg viewBox="0 0 20 20" aria-hidden="true"><path class="mark-birth" d="M10 2 18 17H2z"/></svg>',
  loss: '<svg viewBox="0 0 20 20" aria-hidden="true"><path class="mark-loss" d="M10 18 2 3h16z"/></svg>',
  gap: '<svg viewBox="0 0 20 20" aria-hidden="true"><circle class="mark-gap" cx="10" cy="10" r="7"/></svg>',
  switch: '<svg viewBox="0 0 20 20" aria-hidden="true"><path class="mark-switch" d="M3 3 17 17M17 3 3 17"/></svg>',
};

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".twin");
  if (!root) return undefined;
  root.player ??= new TwinPlayer(root); // called again at every run of the page: the videos play on
  root.player.take(data, (frame) => setStateValue("frame", frame));
  return () => root.player.end();
}

const made = (tag, className, text = "") => {
  const element = document.createElement(tag);
  element.className = className;
  if (text) element.textContent = text;
  return element;
};
const clock = (seconds) => {
  const whole = Math.floor(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const rest = String(whole % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
};

const marked = (at, seconds) => (seconds < 60 ? `${at.toFixed(1)} s` : clock(at));
const exact = (seconds) => {
  const hundredths = Math.round(seconds * 100);
  return `${clock(Math.floor(hundredths / 100))}.${String(hundredths % 100).padStart(2, "0")}`;
};

/** What was chosen on an earlier visit; a browser may keep nothing. */
const kept = () => {
  try {
    return JSON.parse(localStorage.getItem(KEPT)) ?? {};
  } catch {
    return {};
  }
};
const keep = (facts) => {
  try {
    localStorage.setItem(KEPT, JSON.stringify({ ...kept(), ...facts }));
  } catch {
    // it holds for this visit then
  }
};

/** Events of a row as marks that do not overlap: those too near each other become one, with their number. */
const marksOf = (events, frames, width, hit) => {
  const marks = [];
  for (const event of [...events].sort((one, other) => one[1] - other[1])) {
    marks.push(placed([event], frames, width, hit));
    while (marks.length > 1 && marks.at(-2).left + marks.at(-2).width > marks.at(-1).left) {
      const [before, last] = marks.splice(-2);
      marks.push(placed([...before.events, ...last.events], frames, width, hit));
    }
  }
  return marks;
};
const placed = (events, frames, width, hit) => {
  const kinds = [...new Set(events.map(([kind]) => kind))];
  const number = events.reduce((sum, event) => sum + event[3], 0);
  const shown = number > kinds.length ? String(number) : "";
  const wide = Math.max(hit, 10 + 13 * kinds.length + 9 * shown.length);
  const middle = (((events[0][1] + events.at(-1)[1] + 1) / 2) / frames) * width;
  return { events, kinds, shown, number, width: wide, left: Math.max(0, Math.min(width - wide, middle - wide / 2)) };
};

const framesOf = (tick) => tick.dataset.frames.split(" ").map(Number);

/** One video, its place on the screen, and what is known of it. */
class Side {
  constructor(facts, fps) {
    Object.assign(this, facts, { fps, wanted: null, tries: 0 });
    this.figure = made("figure", "side");
    this.figure.style.setProperty("--colour", facts.colour);
    const caption = made("figcaption", "");
    this.number = made("span", "");
    caption.append(made("i", ""), made("b", "", facts.title), this.number);
    this.video = made("video", "");
    Object.assign(this.video, { muted: true, playsInline: true, preload: "auto", src: facts.source });
    if (facts.size) [this.video.width, this.video.height] = facts.size; // its room is there before it is
    this.video.setAttribute("aria-label", `${facts.title}: the clip with its tracks`);
    this.over = made("p", "over");
    this.over.hidden = true;
    const screen = made("div", "screen");
    screen.append(this.video, this.over);
    this.figure.append(caption, screen);
    for (const name of ["seeked", "loadedmetadata"]) this.video.addEventListener(name, () => this.seekOn());
    this.video.addEventListener("error", () => this.loadAgain());
  }

  get last() { return this.frames - 1; }

  get isReady() { return !this.video.seeking && this.wanted === null && this.video.readyState >= 2; }

  /** Show a frame: its middle, so that no rounding shows its neighbour. */
  seek(frame) {
    this.wanted = (Math.min(frame, this.last) + 0.5) / this.fps;
    if (!this.video.seeking && this.video.readyState >= 1) this.seekOn();
  }

  seekOn() {
    const to = this.wanted;
    this.wanted = null;
    if (to !== null && Math.abs(this.video.currentTime - to) > 1e-4) this.video.currentTime = to;
  }

  loadAgain() {
    this.over.textContent = "This video cannot be loaded. Reload the page.";
    this.over.hidden = this.tries < TRIES;
    if (this.tries++ >= TRIES) return;
    const at = this.video.currentTime;
    setTimeout(() => {
      this.wanted ??= at;
      this.video.load();
    }, 300 * this.tries);
  }

  show(frame) {
    const is = frame > this.last ? null : this.countAt(frame);
    const early = frame < this.unsure && !is;
    this.number.textContent = is === null ? "ended" : early ? "no ids yet" : `${is} ${is === 1 ? "cow" : "cows"}`;
    if (this.tries < TRIES) {
      this.over.textContent = "Tracked up to here only";
      this.over.hidden = frame <= this.last;
    }
  }

  countAt(frame) {
    let [low, high] = [0, this.changes.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.changes[middle][0] <= frame) low = middle;
      else high = middle;
    }
    return this.changes.length ? this.changes[low][1] : 0;
  }

  end() {
    this.video.pause();
    this.video.removeAttribute("src");
    this.video.load();
  }
}

class TwinPlayer {
  constructor(root) {
    Object.assign(this, { root, sides: [], frame: 0, rate: 1, loops: false, plays: false, hidden: new Set() });
    this.find = (selector) => root.querySelector(selector);
    this.leaving = new AbortController();
    root.ownerDocument.addEventListener("keydown", (event) => this.#key(event), { signal: this.leaving.signal });
    root.addEventListener("click", (event) => this.#click(event));
    this.#scrubbing(this.find(".scrub"));
    const board = this.find(".board");
    for (const name of ["pointerover", "focusin"]) board.addEventListener(name, (event) => this.#tip(event.target));
    for (const name of ["pointerout", "focusout"]) board.addEventListener(name, () => this.#tip(null));
    this.sized = new ResizeObserver(() => this.#layMarks());
    this.sized.observe(board);
    this.#takeKept();
  }

  #takeKept() {
    const { rate, loops, large } = kept();
    const rates = [...this.root.querySelectorAll("[data-rate]")].map((button) => Number(button.dataset.rate));
    if (rates.includes(rate)) this.rate = rate;
    this.#turnOn("loop", loops === true);
    this.#turnOn("large", large === true);
  }

  /** Take what Python gives; nothing is touched that is as it was. */
  take(data, report) {
    this.report = report;
    const form = JSON.stringify([data.sides, data.fps, data.kinds]);
    if (form !== this.form) {
      this.form = form;
      this.#build(data);
    }
    if (data.go && data.go.token !== this.token) {
      this.token = data.go.token;
      this.pause();
      this.goTo(data.go.frame, { told: true });
      if (data.go.into_view) this.#intoView();
    }
  }

  end() {
    this.leaving.abort();
    this.sized.disconnect();
    this.plays = false;
    clearTimeout(this.telling);
    for (const side of this.sides) side.end();
  }

  async play() {
    if (this.frame >= this.frames - 1) this.goTo(0, { told: true });
    else this.#seek();
    this.#setPlays(true);
    await this.#whenReady();
    if (!this.plays) return;
    const going = this.sides.filter((side) => this.frame < side.last);
    for (const { video } of going) video.playbackRate = this.rate;
    try {
      await Promise.all(going.map(({ video }) => video.play()));
    } catch {
      if (this.plays) this.pause();
      return;
    }
    this.#watch();
  }

  pause() {
    if (!this.plays) return;
    this.#setPlays(false);
    for (const { video } of this.sides) video.pause();
    this.goTo(Math.floor(this.leader.video.currentTime * this.fps + 1e-3));
  }

  toggle() {
    if (this.plays) this.pause();
    else this.play();
  }

  /** Show a frame everywhere and, unless Python knows it, tell it once it rests there. */
  goTo(frame, { told = false } = {}) {
    this.frame = Math.max(0, Math.min(this.frames - 1, Math.round(frame)));
    this.#seek();
    this.#show();
    if (told) this.settled = this.frame;
    else this.#tellSoon();
  }

  step(by) {
    this.pause();
    this.goTo(this.frame + by);
  }

  toEvent(way) {
    const frames = this.sides.flatMap((side) => side.events).filter(([kind]) => !this.hidden.has(kind));
    const others = frames.map(([, frame]) => frame).filter((frame) => (frame - this.frame) * way > 0);
    if (!others.length) {
      this.#news(`No ${way > 0 ? "later" : "earlier"} event.`);
      return;
    }
    this.pause();
    this.goTo(way > 0 ? Math.min(...others) : Math.max(...others));
  }

  #setPlays(plays) {
    this.plays = plays;
    this.root.toggleAttribute("data-plays", plays);
    this.find(".play").setAttribute("aria-label", plays ? "Pause" : "Play");
    if (plays) this.#news("");
  }

  #seek() {
    for (const side of this.sides) side.seek(this.frame);
    this.root.dataset.frame = this.frame;
  }

  async #whenReady() {
    const until = performance.now() + 5000;
    while (this.plays && performance.now() < until && !this.sides.every((side) => side.isReady))
      await new Promise((done) => setTimeout(done, 15));
  }

  /** At every picture of the leader: where are we, and is the other there too? */
  #watch() {
    const { video } = this.leader;
    const look = (_, facts) => {
      if (!this.plays || video !== this.leader.video) return;
      const at = facts?.mediaTime ?? video.currentTime;
      this.frame = Math.max(0, Math.min(this.frames - 1, Math.floor(at * this.fps + 0.01)));
      this.root.dataset.frame = this.frame;
      this.#show();
      this.#follow(video);
      this.#watch();
    };
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(look);
    else requestAnimationFrame(() => look());
  }

  #follow(leading) {
    for (const side of this.sides) {
      const { video } = side;
      if (video === leading || video.paused || video.ended) continue;
      const off = video.currentTime - leading.currentTime;
      if (Math.abs(off) > FAR) video.currentTime = leading.currentTime;
      const pull = Math.abs(off) < STEADY ? 0 : Math.max(-0.25, Math.min(0.25, off * 6));
      const pace = this.rate * (1 - pull);
      if (Math.abs(video.playbackRate - pace) > 0.002) video.playbackRate = pace;
    }
  }

  #ended() {
    if (!this.plays) return;
    if (this.loops) {
      this.goTo(0, { told: true });
      this.play();
    } else {
      this.#setPlays(false);
      this.goTo(this.frames - 1);
    }
  }

  #tellSoon() {
    clearTimeout(this.telling);
    this.telling = setTimeout(() => {
      if (this.plays || this.dragged || this.settled === this.frame) return;
      this.settled = this.frame;
      this.report(this.frame);
    }, SETTLED);
  }

  #show() {
    const seconds = this.frame / this.fps;
    const [board, scrub] = [this.find(".board"), this.find(".scrub")];
    board.style.setProperty("--at", `${((this.frame + 0.5) / this.frames) * 100}%`);
    this.spoken.textContent = exact(seconds);
    this.counted.textContent = `frame ${this.frame + 1} of ${this.frames}`;
    for (const side of this.sides) side.show(this.frame);
    if (this.plays) return;
    const counts = this.sides.map((side) => `${side.title}: ${side.number.textContent}`).join("; ");
    scrub.setAttribute("aria-valuenow", this.frame + 1);
    scrub.setAttribute("aria-valuetext", `frame ${this.frame + 1}, ${seconds.toFixed(2)} seconds; ${counts}`);
    this.#showNow();
    const here = this.sides.map((side) => {
      const words = this.#visible(side).filter(([, frame]) => frame === this.frame).map(([, , told]) => told).join(" ");
      return words && this.#told(side, words);
    });
    this.#news(here.filter(Boolean).join(" "));
  }

  #showNow() {
    for (const tick of this.root.querySelectorAll(".tick"))
      tick.classList.toggle("now", framesOf(tick).includes(this.frame));
  }

  #visible(side) {
    return side.events.filter(([kind]) => !this.hidden.has(kind));
  }

  #told(side, words) {
    return this.sides.length > 1 ? `${side.title}: ${words}` : words;
  }

  #news(words) {
    const news = this.find(".news");
    if (news.textContent !== words) news.textContent = words;
  }

  // --- what is pressed

  #click(event) {
    const target = event.composedPath()[0].closest?.("button, video");
    if (!target) return;
    const { rate, kind, frames } = target.dataset;
    if (event.detail) this.find(".scrub").focus({ preventScroll: true }); // by mouse: space is to play, not to press again
    if (target.tagName === "VIDEO") this.toggle();
    else if (frames !== undefined) {
      this.pause();
      const all = framesOf(target);
      this.goTo(all[(all.indexOf(this.frame) + 1) % all.length]); // pressed again, the next of several
    } else if (rate) {
      this.#setRate(Number(rate));
      keep({ rate: this.rate });
    } else if (kind) this.#turn(kind, target);
    else this.#do(target.dataset.do);
  }

  #do(what) {
    if (what === "play") this.toggle();
    if (what === "back" || what === "on") this.step(what === "on" ? 1 : -1);
    if (what === "before" || what === "after") this.toEvent(what === "after" ? 1 : -1);
    if (what === "loop" || what === "large") {
      const isOn = this.find(`[data-do="${what}"]`).getAttribute("aria-pressed") !== "true";
      this.#turnOn(what, isOn);
      keep(what === "loop" ? { loops: isOn } : { large: isOn });
    }
  }

  #turnOn(what, isOn) {
    if (what === "loop") this.loops = isOn;
    else this.root.toggleAttribute("data-large", isOn);
    this.find(`[data-do="${what}"]`).setAttribute("aria-pressed", isOn);
  }

  /** Where Python sends somebody, and the keys with them. */
  #intoView() {
    this.find(".scrub").focus({ preventScroll: true });
    const { top, bottom } = this.find(".sides").getBoundingClientRect();
    if (top >= 60 && bottom <= innerHeight) return;
    const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
    this.root.scrollIntoView({ behavior, block: "start" });
  }

  #setRate(rate) {
    this.rate = rate;
    for (const { video } of this.sides) video.playbackRate = rate;
    for (const button of this.root.querySelectorAll("[data-rate]"))
      button.setAttribute("aria-pressed", Number(button.dataset.rate) === rate);
  }

  #turn(kind, button) {
    if (!this.hidden.delete(kind)) this.hidden.add(kind);
    button.setAttribute("aria-pressed", !this.hidden.has(kind));
    this.#layMarks();
    this.#show();
  }

  /** Keys of the player, and of the page while nothing on it wants them and the player is to be seen. */
  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const path = event.composedPath();
    const isMine = path.includes(this.root);
    if (!isMine && (path.some((one) => one.matches?.(TAKEN)) || !this.#isSeen())) return;
    const isButton = path[0].tagName === "BUTTON";
    const second = Math.max(1, Math.round(this.fps));
    const one = event.shiftKey ? second : 1;
    const keys = {
      ArrowRight: () => this.step(one), ArrowLeft: () => this.step(-one),
      ".": () => this.step(one), ",": () => this.step(-one),
      n: () => this.toEvent(1), p: () => this.toEvent(-1),
    };
    if (isMine) Object.assign(keys, {
      PageUp: () => this.step(second), PageDown: () => this.step(-second),
      Home: () => this.step(-this.frame), End: () => this.step(this.frames),
    }); // elsewhere they move the page
    if (!isButton) keys[" "] = () => event.repeat || this.toggle();
    const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  #isSeen() {
    const { top, bottom } = this.root.getBoundingClientRect();
    return top < innerHeight && bottom > 0;
  }

  #scrubbing(scrub) {
    const to = (event) => {
      const { left, width } = scrub.getBoundingClientRect();
      this.goTo(Math.floor(((event.clientX - left) / width) * this.frames));
    };
    const letGo = () => {
      if (!this.dragged) return;
      const { resumes } = this.dragged;
      this.dragged = null;
      if (resumes) this.play();
      else this.#tellSoon();
    };
    scrub.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      scrub.setPointerCapture(event.pointerId);
      const resumes = this.plays;
      this.pause();
      this.dragged = { resumes };
      to(event);
    });
    scrub.addEventListener("pointermove", (event) => this.dragged && to(event));
    for (const name of ["pointerup", "pointercancel"]) scrub.addEventListener(name, letGo);
  }

  #tip(target) {
    const [tip, tick] = [this.find(".tip"), target?.closest?.(".tick")];
    tip.hidden = !tick;
    if (!tick) return;
    tip.textContent = tick.dataset.words;
    const room = this.find(".board").clientWidth;
    const middle = tick.offsetLeft + tick.offsetWidth / 2;
    tip.style.left = `${Math.max(0, Math.min(room - tip.offsetWidth, middle - tip.offsetWidth / 2))}px`;
    const [mark, board] = [tick.getBoundingClientRect(), this.find(".board").getBoundingClientRect()];
    tip.style.bottom = `${board.bottom - mark.top + 2}px`;
  }

  // --- what is made once for a pair of videos

  #build(data) {
    this.#setPlays(false);
    this.fps = data.fps;
    this.frames = data.frames;
    for (const side of this.sides) side.end();
    this.sides = data.sides.map((facts) => new Side(facts, data.fps));
    this.leader = this.sides.reduce((best, side) => (side.frames > best.frames ? side : best));
    this.leader.video.addEventListener("ended", () => this.#ended());
    this.#setRate(this.rate);
    const place = this.find(".sides");
    place.classList.toggle("alone", this.sides.length === 1);
    place.replaceChildren(...this.sides.map((side) => side.figure));
    this.#buildWhere();
    this.#buildCurve();
    this.find(".lanes").replaceChildren(...this.sides.map((side) => this.#lane(side)));
    this.#buildLegend(data.kinds);
    this.#layMarks();
    this.find(".scrub").setAttribute("aria-valuemax", this.frames);
    const seconds = this.frames / this.fps;
    this.find(".times").replaceChildren(
      ...[0, 0.25, 0.5, 0.75, 1].map((share) => made("span", "", marked(seconds * share, seconds))),
    );
    this.goTo(this.frame, { told: true });
  }

  #buildWhere() {
    [this.spoken, this.counted] = [made("b", ""), made("small", "")];
    this.find(".where").replaceChildren(this.spoken, this.counted);
  }

  #buildCurve() {
    const most = Math.max(1, ...this.sides.flatMap((side) => side.changes.map(([, count]) => count)));
    const paths = this.sides.map((side, number) => {
      const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
      const x = (frame) => ((frame / this.frames) * 1000).toFixed(2);
      const steps = side.changes.map(([frame, count], place) => {
        const y = (100 - (count / most) * 100).toFixed(1);
        return place ? `H${x(frame)}V${y}` : `M${x(frame)},${y}`;
      });
      path.setAttribute("d", steps.length ? `${steps.join("")}H${x(side.frames)}` : "");
      path.setAttribute("stroke", side.colour);
      if (!number && this.sides.length > 1) path.classList.add("first");
      return path;
    });
    this.find(".curve svg").replaceChildren(...paths);
    this.find(".most").textContent = `cows followed, up to ${most}`;
  }

  #lane(side) {
    const lane = made("div", "lane");
    lane.style.setProperty("--colour", side.colour);
    lane.append(made("span", "name", side.title));
    if (side.frames < this.frames) {
      const missing = made("span", "missing");
      missing.style.left = `${(side.frames / this.frames) * 100}%`;
      lane.append(missing);
    }
    if (side.unsure) {
      const unsure = made("span", "missing");
      unsure.style.left = "0";
      unsure.style.right = `${(1 - Math.min(1, side.unsure / this.frames)) * 100}%`;
      lane.append(unsure);
    }
    return lane;
  }

  /** The marks for the room there is; anew whenever it changes or a kind is turned off. */
  #layMarks() {
    const [lanes, hit] = [this.find(".lanes"), SMALL.matches ? 32 : 24];
    const rows = ROWS.filter((kinds) => this.sides.some((side) => side.events.some(([kind]) => kinds.includes(kind))));
    this.root.style.setProperty("--hit", `${hit}px`);
    this.root.style.setProperty("--rows", Math.max(1, rows.length));
    if (!lanes.clientWidth) return;
    for (const [number, lane] of [...lanes.children].entries()) {
      const side = this.sides[number];
      for (const tick of lane.querySelectorAll(".tick")) tick.remove();
      for (const [row, kinds] of rows.entries()) {
        const events = this.#visible(side).filter(([kind]) => kinds.includes(kind));
        for (const mark of marksOf(events, this.frames, lanes.clientWidth, hit)) lane.append(this.#tick(side, mark, row));
      }
    }
    this.#showNow();
  }

  #tick(side, mark, row) {
    const tick = made("button", `tick ${mark.kinds.join(" ")}`);
    tick.classList.toggle("several", mark.events.length > 1);
    const frames = [...new Set(mark.events.map(([, frame]) => frame))];
    const words = mark.events.slice(0, TOLD).map(([, frame, words]) => `${exact(frame / this.fps)}  ${words}`);
    if (mark.events.length > TOLD) words.push(`and ${mark.events.length - TOLD} more`);
    const told = this.#told(side, mark.events.length > 1 ? `\n${words.join("\n")}` : mark.events[0][2]);
    Object.assign(tick, { type: "button", tabIndex: -1, innerHTML: mark.kinds.map((kind) => MARKS[kind]).join("") });
    Object.assign(tick.dataset, { frames: frames.join(" "), number: mark.number, words: told.trim() });
    if (mark.shown) tick.append(mark.shown);
    tick.setAttribute("aria-label", `Frame ${frames.map((frame) => frame + 1).join(", ")}: ${told}`);
    tick.style.left = `${mark.left}px`;
    tick.style.width = `${mark.width}px`;
    tick.style.setProperty("--row", row);
    return tick;
  }

  #numberOf(side, kind) {
    return side.events.filter(([one]) => one === kind).reduce((sum, event) => sum + event[3], 0);
  }

  #buildLegend(kinds) {
    this.find(".legend").replaceChildren(
      ...kinds.map(({ kind, title, hint }) => {
        const button = made("button", "");
        const numbers = this.sides.map((side) => this.#numberOf(side, kind));
        Object.assign(button, { type: "button", innerHTML: MARKS[kind], title: hint });
        button.append(`${title} (${numbers.join(" + ")})`); // one a side, as the lanes are
        button.dataset.kind = kind;
        button.setAttribute("aria-pressed", !this.hidden.has(kind));
        return button;
      }),
    );
  }
}
