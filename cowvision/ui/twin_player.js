// One or two videos on one clock over one timeline. The longest video leads, the other follows it by its pace.

const FAR = 0.3; // seconds: a follower this far off jumps
const STEADY = 0.0015; // seconds: a follower this near keeps its pace
const SETTLED = 250; // milliseconds of rest before Python is told
const TRIES = 4; // to load a video that fails: a server that tidies up may miss it for a moment

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
    this.number.textContent = is === null ? "ended" : `${is} ${is === 1 ? "cow" : "cows"}`;
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
    root.addEventListener("keydown", (event) => this.#key(event));
    root.addEventListener("click", (event) => this.#click(event));
    this.#scrubbing(this.find(".scrub"));
    const board = this.find(".board");
    for (const name of ["pointerover", "focusin"]) board.addEventListener(name, (event) => this.#tip(event.target));
    for (const name of ["pointerout", "focusout"]) board.addEventListener(name, () => this.#tip(null));
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
    }
  }

  end() {
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
    const tenth = Math.floor(seconds * 10 + 1e-6) % 10;
    this.spoken.textContent = `${clock(seconds + 1e-6)}.${tenth}`;
    this.counted.textContent = `frame ${this.frame + 1} of ${this.frames}`;
    for (const side of this.sides) side.show(this.frame);
    if (this.plays) return;
    const counts = this.sides.map((side) => `${side.title}: ${side.number.textContent}`).join("; ");
    scrub.setAttribute("aria-valuenow", this.frame + 1);
    scrub.setAttribute("aria-valuetext", `frame ${this.frame + 1}, ${seconds.toFixed(2)} seconds; ${counts}`);
    const here = [];
    for (const tick of this.root.querySelectorAll(".tick")) {
      const isHere = Number(tick.dataset.frame) === this.frame;
      tick.classList.toggle("now", isHere);
      if (isHere && !this.hidden.has(tick.dataset.kind)) here.push(tick.dataset.words);
    }
    this.#news(here.join(" "));
  }

  #news(words) {
    const news = this.find(".news");
    if (news.textContent !== words) news.textContent = words;
  }

  // --- what is pressed

  #click(event) {
    const target = event.composedPath()[0].closest?.("button, video");
    if (!target) return;
    const { rate, kind, frame } = target.dataset;
    if (target.tagName === "VIDEO") {
      this.find(".play").focus({ preventScroll: true });
      this.toggle();
    } else if (frame !== undefined) {
      this.pause();
      this.goTo(Number(frame));
    } else if (rate) this.#setRate(Number(rate));
    else if (kind) this.#turn(kind, target);
    else this.#do(target.dataset.do, target);
  }

  #do(what, button) {
    if (what === "play") this.toggle();
    if (what === "back" || what === "on") this.step(what === "on" ? 1 : -1);
    if (what === "before" || what === "after") this.toEvent(what === "after" ? 1 : -1);
    if (what === "loop") {
      this.loops = !this.loops;
      button.setAttribute("aria-pressed", this.loops);
    }
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
    for (const tick of this.root.querySelectorAll(`.tick.${kind}`)) tick.hidden = this.hidden.has(kind);
    this.#show();
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const isButton = event.target.tagName === "BUTTON";
    const second = Math.max(1, Math.round(this.fps));
    const one = event.shiftKey ? second : 1;
    const keys = {
      ArrowRight: () => this.step(one), ArrowLeft: () => this.step(-one),
      PageUp: () => this.step(second), PageDown: () => this.step(-second),
      Home: () => this.step(-this.frame), End: () => this.step(this.frames),
      n: () => this.toEvent(1), p: () => this.toEvent(-1),
    };
    if (!isButton) keys[" "] = () => this.toggle();
    const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
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
    tip.style.left = `${Math.max(0, Math.min(room - tip.offsetWidth, tick.offsetLeft + 9 - tip.offsetWidth / 2))}px`;
    const [lane, board] = [tick.parentElement.getBoundingClientRect(), this.find(".board").getBoundingClientRect()];
    tip.style.bottom = `${board.bottom - lane.top - 12}px`;
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
    this.find(".most").textContent = `cows in sight, up to ${most}`;
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
    for (const [kind, frame, words] of side.events) lane.append(this.#tick(side, kind, frame, words));
    return lane;
  }

  #tick(side, kind, frame, words) {
    const tick = made("button", `tick ${kind}`);
    const told = this.sides.length > 1 ? `${side.title}: ${words}` : words;
    Object.assign(tick, { type: "button", tabIndex: -1, innerHTML: MARKS[kind], hidden: this.hidden.has(kind) });
    Object.assign(tick.dataset, { frame, kind, words: told });
    tick.setAttribute("aria-label", `Frame ${frame + 1}: ${told}`);
    tick.style.left = `${((frame + 0.5) / this.frames) * 100}%`;
    return tick;
  }

  #buildLegend(kinds) {
    this.find(".legend").replaceChildren(
      ...kinds.map(({ kind, title, hint }) => {
        const button = made("button", "");
        const events = this.sides.flatMap((side) => side.events).filter(([one]) => one === kind);
        Object.assign(button, { type: "button", innerHTML: MARKS[kind], title: hint });
        button.append(`${title} (${events.length})`);
        button.dataset.kind = kind;
        button.setAttribute("aria-pressed", !this.hidden.has(kind));
        return button;
      }),
    );
  }
}
