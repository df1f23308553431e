export default function ({ data, parentElement }) {
  const find = (selector) => parentElement.querySelector(selector);
  const frame = find(".frame");
  const range = find("input");
  const fill = (side, tag) => {
    const image = find(`img.${side}`);
    if (image.src !== data[side].src) image.src = data[side].src;
    image.alt = data[side].alt;
    find(`.tag.${tag} span`).textContent = data[side].title;
    find(`.tag.${tag} b`).textContent = `${data[side].number} ${data[side].noun}`;
  };
  fill("before", "left");
  fill("after", "right");
  const move = () => {
    frame.style.setProperty("--cut", `${range.value}%`);
    range.setAttribute("aria-valuetext", `${Math.round(range.value)} percent ${data.before.title}`);
  };
  range.addEventListener("input", move);
  move();
  return () => range.removeEventListener("input", move);
}
